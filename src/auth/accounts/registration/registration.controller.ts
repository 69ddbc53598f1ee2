import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiAcceptedResponse, ApiCreatedResponse, ApiTags } from '@nestjs/swagger';
import { Public } from '../../../common/access/access.decorators.js';
import { RateLimit } from '../../../common/http/rate-limit.js';
import { mailLimits } from '../mail.limits.js';
import { Register, RegistrationView, Resend, VerifiedView, VerifyEmail } from './registration.dto.js';
import { RegistrationService } from './registration.service.js';

const onItsWay: RegistrationView = { message: 'A message is on its way to the address.' };

@ApiTags('auth')
@Controller('v1/auth')
export class RegistrationController {
  constructor(private readonly registrations: RegistrationService) {}

  /** Answers the same whether or not the address has an account; the mail tells its owner. */
  @Post('register')
  @HttpCode(202)
  @Public()
  @RateLimit(mailLimits)
  @ApiAcceptedResponse({ type: RegistrationView })
  async register(@Body() { email }: Register): Promise<RegistrationView> {
    await this.registrations.register(email);
    return onItsWay;
  }

  /** Mails another token, if a registration is open; the older one is worth nothing. The answer is always the same. */
  @Post('email/resend')
  @HttpCode(202)
  @Public()
  @RateLimit(mailLimits)
  @ApiAcceptedResponse({ type: RegistrationView })
  async resend(@Body() { email }: Resend): Promise<RegistrationView> {
    await this.registrations.resend(email);
    return onItsWay;
  }

  /** Makes the user with password and name. Sign in afterwards. */
  @Post('email/verify')
  @Public()
  @ApiCreatedResponse({ type: VerifiedView })
  async verify(@Body() token: VerifyEmail): Promise<VerifiedView> {
    return { id: await this.registrations.verify(token) };
  }
}
