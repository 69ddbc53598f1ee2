import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiAcceptedResponse, ApiNoContentResponse, ApiTags } from '@nestjs/swagger';
import { Public } from '../../../common/access/access.decorators.js';
import { RateLimit } from '../../../common/http/rate-limit.js';
import { mailLimits } from '../mail.limits.js';
import { ForgotPassword, ForgotPasswordView, ResetPassword } from './recovery.dto.js';
import { PasswordResetService } from './password-reset.service.js';

@ApiTags('auth')
@Controller('v1/auth/password')
export class RecoveryController {
  constructor(private readonly resets: PasswordResetService) {}

  /** Answers the same whether or not the address has an account; the mail tells its owner. */
  @Post('forgot')
  @HttpCode(202)
  @Public()
  @RateLimit(mailLimits)
  @ApiAcceptedResponse({ type: ForgotPasswordView })
  async forgot(@Body() { email }: ForgotPassword): Promise<ForgotPasswordView> {
    await this.resets.forgot(email);
    return { message: 'A message is on its way to the address.' };
  }

  /** Sets the password and ends every session. Sign in afterwards, with the second factor where there is one. */
  @Post('reset')
  @HttpCode(204)
  @Public()
  @ApiNoContentResponse()
  reset(@Body() reset: ResetPassword): Promise<void> {
    return this.resets.reset(reset);
  }
}
