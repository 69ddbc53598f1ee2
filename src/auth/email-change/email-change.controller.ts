import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiAcceptedResponse, ApiBearerAuth, ApiNoContentResponse, ApiTags } from '@nestjs/swagger';
import { Can, Public, StepUp } from '../../common/access.decorators.js';
import { CurrentPrincipal, type Principal } from '../../common/principal.js';
import { RateLimit } from '../../common/rate-limit.decorator.js';
import { ChangeEmail, ChangeEmailView, ConfirmEmail } from './email-change.dto.js';
import { EmailChanges } from './email-changes.js';
import { EmailConfirmations } from './email-confirmations.js';

@ApiTags('auth')
@Controller('v1/auth/email')
export class EmailChangeController {
  constructor(
    private readonly changes: EmailChanges,
    private readonly confirmations: EmailConfirmations,
  ) {}

  /** Needs a fresh sign-in. Nothing changes before both addresses have confirmed; the answer is the same for an address that is taken. */
  @Post('change')
  @HttpCode(202)
  @ApiBearerAuth()
  @Can('email:change')
  @StepUp()
  @RateLimit('mail')
  @ApiAcceptedResponse({ type: ChangeEmailView })
  async change(@CurrentPrincipal() principal: Principal, @Body() { email }: ChangeEmail): Promise<ChangeEmailView> {
    await this.changes.begin(principal, email);
    return { message: 'Messages are on their way to both addresses.' };
  }

  /** With the second of the two tokens the address changes, and every session ends. */
  @Post('confirm')
  @HttpCode(204)
  @Public()
  @ApiNoContentResponse()
  confirm(@Body() { token }: ConfirmEmail): Promise<void> {
    return this.confirmations.confirm(token);
  }
}
