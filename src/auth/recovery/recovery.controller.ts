import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiAcceptedResponse, ApiNoContentResponse, ApiTags } from '@nestjs/swagger';
import { Public } from '../../common/access.decorators.js';
import { RateLimit } from '../../common/rate-limit.decorator.js';
import { ForgotPassword, ForgotPasswordView, ResetPassword } from './recovery.dto.js';
import { Recovery } from './recovery.js';
import { Resetting } from './resetting.js';

@ApiTags('auth')
@Controller('v1/auth/password')
export class RecoveryController {
  constructor(
    private readonly recovery: Recovery,
    private readonly resetting: Resetting,
  ) {}

  /** Answers the same whether or not the address has an account; the mail tells its owner. */
  @Post('forgot')
  @HttpCode(202)
  @Public()
  @RateLimit('mail')
  @ApiAcceptedResponse({ type: ForgotPasswordView })
  async forgot(@Body() { email }: ForgotPassword): Promise<ForgotPasswordView> {
    await this.recovery.forgot(email);
    return { message: 'A message is on its way to the address.' };
  }

  /** Sets the password and ends every session. Sign in afterwards, with the second factor where there is one. */
  @Post('reset')
  @HttpCode(204)
  @Public()
  @ApiNoContentResponse()
  reset(@Body() reset: ResetPassword): Promise<void> {
    return this.resetting.reset(reset);
  }
}
