import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiAcceptedResponse, ApiBearerAuth, ApiNoContentResponse, ApiTags } from '@nestjs/swagger';
import { Can, Public, StepUp } from '../../../common/access/access.decorators.js';
import { definePermissions, user } from '../../../common/access/permissions.js';
import { CurrentPerson, type Person } from '../../../common/access/principal.js';
import { RateLimit } from '../../../common/http/rate-limit.js';
import { mailLimits } from '../mail.limits.js';
import { ChangeEmail, ChangeEmailView, ConfirmEmail } from './email-change.dto.js';
import { EmailChangeService } from './email-change.service.js';

const emailPermissions = definePermissions('email', { change: { objects: 'self', roles: [user] } });

@ApiTags('auth')
@Controller('v1/auth/email')
export class EmailChangeController {
  constructor(private readonly changes: EmailChangeService) {}

  /**
   * Needs a fresh sign-in. Nothing changes before both addresses have confirmed; the answer is the same for an address
   * that is taken.
   */
  @Post('change')
  @HttpCode(202)
  @ApiBearerAuth()
  @Can(emailPermissions.change)
  @StepUp()
  @RateLimit(mailLimits)
  @ApiAcceptedResponse({ type: ChangeEmailView })
  async change(@CurrentPerson() principal: Person, @Body() { email }: ChangeEmail): Promise<ChangeEmailView> {
    await this.changes.begin(principal, email);
    return { message: 'Messages are on their way to both addresses.' };
  }

  /** With the second of the two tokens the address changes, and every session ends. */
  @Post('confirm')
  @HttpCode(204)
  @Public()
  @ApiNoContentResponse()
  confirm(@Body() { token }: ConfirmEmail): Promise<void> {
    return this.changes.confirm(token);
  }
}
