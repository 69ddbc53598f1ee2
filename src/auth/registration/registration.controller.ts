import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiAcceptedResponse, ApiCreatedResponse, ApiTags } from '@nestjs/swagger';
import { Public } from '../../common/access.decorators.js';
import { RateLimit } from '../../common/rate-limit.decorator.js';
import { Register, RegistrationView, Resend, VerifiedView, VerifyEmail } from './registration.dto.js';
import { Registrations } from './registrations.js';
import { Verification } from './verification.js';

const onItsWay: RegistrationView = { message: 'A message is on its way to the address.' };

@ApiTags('auth')
@Controller('v1/auth')
export class RegistrationController {
  constructor(
    private readonly registrations: Registrations,
    private readonly verification: Verification,
  ) {}

  /** Answers the same whether or not the address has an account; the mail tells its owner. */
  @Post('register')
  @HttpCode(202)
  @Public()
  @RateLimit('mail')
  @ApiAcceptedResponse({ type: RegistrationView })
  async register(@Body() registration: Register): Promise<RegistrationView> {
    await this.registrations.register(registration);
    return onItsWay;
  }

  /** Mails another token, if a registration is open; the older one is worth nothing. The answer is always the same. */
  @Post('email/resend')
  @HttpCode(202)
  @Public()
  @RateLimit('mail')
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
    return { id: await this.verification.verify(token) };
  }
}
