import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { Public } from '../../common/access.decorators.js';
import { CarriesCookie } from '../../common/cookies.js';
import { RateLimit } from '../../common/rate-limit.decorator.js';
import { TokensView } from '../sessions/index.js';
import { SignInOptionsView } from './options.view.js';
import { PasskeySignIns } from './passkey-sign-ins.js';
import { SignInByPasskey } from './passkey.dto.js';

@ApiTags('auth')
@Controller('v1/auth/passkeys')
export class PasskeySignInController {
  constructor(private readonly signIns: PasskeySignIns) {}

  /** A challenge for `navigator.credentials.get()`, good for five minutes and one answer. */
  @Post('sign-in-options')
  @HttpCode(200)
  @Public()
  @RateLimit('passkey')
  @ApiOkResponse({ type: SignInOptionsView })
  options(): Promise<SignInOptionsView> {
    return this.signIns.options();
  }

  /** Begins a session, as a login does. It also proves the second factor that is due after a password. */
  @Post('sign-in')
  @HttpCode(200)
  @Public()
  @RateLimit('passkey')
  @CarriesCookie()
  @ApiOkResponse({ type: TokensView })
  signIn(@Body() signIn: SignInByPasskey): Promise<TokensView> {
    return this.signIns.signIn(signIn);
  }
}
