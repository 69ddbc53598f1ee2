import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { BeforeSecondFactor, Can, OpenInLockdown, Public, StepUp } from '../../../common/access/access.decorators.js';
import { CarriesCookie } from '../../../common/http/cookies.js';
import { IdParam } from '../../../common/http/fields.js';
import { CurrentPerson, type Person } from '../../../common/access/principal.js';
import { defineRateLimits, minute, RateLimit } from '../../../common/http/rate-limit.js';
import { Refuses } from '../../../common/http/refusals.decorator.js';
import { factorPermissions } from '../factors.access.js';
import { TokensView } from '../../sessions/sessions.dto.js';
import { RegistrationOptionsView, SignInOptionsView } from './options.view.js';
import { RegisterPasskey, RenamePasskey, SignInByPasskey } from './passkeys.dto.js';
import { PasskeysService } from './passkeys.service.js';
import { PasskeyListView, PasskeyView, RegisteredPasskeyView, RelatedOriginsView } from './passkeys.view.js';
import { RelyingParty } from './relying-party.js';

const passkeyLimits = defineRateLimits('passkey', [
  { name: 'passkey-network', requests: 30, windowSeconds: minute, per: 'network' },
]);

@ApiTags('auth')
@ApiBearerAuth()
@Controller('v1/auth/passkeys')
export class PasskeysController {
  constructor(private readonly passkeys: PasskeysService) {}

  /**
   * What `navigator.credentials.create()` takes, with a challenge that is good for five minutes, one answer and this
   * session.
   */
  @Post('registration-options')
  @HttpCode(200)
  @Can(factorPermissions.manage)
  @BeforeSecondFactor('enrolment')
  @StepUp()
  @Refuses('conflict')
  @ApiOkResponse({ type: RegistrationOptionsView })
  options(@CurrentPerson() principal: Person): Promise<RegistrationOptionsView> {
    return this.passkeys.registrationOptions(principal);
  }

  /**
   * Adds the passkey. The caller's other sessions end. No step-up of its own: the challenge was given to this session,
   * which had just proved who it is.
   */
  @Post()
  @Can(factorPermissions.manage)
  @BeforeSecondFactor('enrolment')
  @CarriesCookie()
  @Refuses('conflict')
  @ApiCreatedResponse({ type: RegisteredPasskeyView })
  register(@CurrentPerson() principal: Person, @Body() registration: RegisterPasskey): Promise<RegisteredPasskeyView> {
    return this.passkeys.register(principal, registration);
  }

  @Get()
  @Can(factorPermissions.manage)
  @ApiOkResponse({ type: PasskeyListView })
  list(@CurrentPerson() principal: Person): Promise<PasskeyListView> {
    return this.passkeys.list(principal);
  }

  @Patch(':id')
  @Can(factorPermissions.manage)
  @ApiOkResponse({ type: PasskeyView })
  rename(
    @CurrentPerson() principal: Person,
    @Param() { id }: IdParam,
    @Body() { name }: RenamePasskey,
  ): Promise<PasskeyView> {
    return this.passkeys.rename(principal, id, name);
  }

  @Delete(':id')
  @Can(factorPermissions.manage)
  @StepUp()
  @HttpCode(204)
  @ApiNoContentResponse()
  async remove(@CurrentPerson() principal: Person, @Param() { id }: IdParam): Promise<void> {
    await this.passkeys.remove(principal, id);
  }
}

@ApiTags('auth')
@Controller('v1/auth/passkeys')
export class PasskeySignInController {
  constructor(private readonly passkeys: PasskeysService) {}

  /** A challenge for `navigator.credentials.get()`, good for five minutes and one answer. */
  @Post('sign-in-options')
  @OpenInLockdown()
  @HttpCode(200)
  @Public()
  @RateLimit(passkeyLimits)
  @ApiOkResponse({ type: SignInOptionsView })
  options(): Promise<SignInOptionsView> {
    return this.passkeys.signInOptions();
  }

  /** Begins a session, as a login does. It also proves the second factor that is due after a password. */
  @Post('sign-in')
  @OpenInLockdown()
  @HttpCode(200)
  @Public()
  @RateLimit(passkeyLimits)
  @CarriesCookie()
  @ApiOkResponse({ type: TokensView })
  signIn(@Body() signIn: SignInByPasskey): Promise<TokensView> {
    return this.passkeys.signIn(signIn);
  }
}

@ApiTags('auth')
@Controller('.well-known')
export class RelatedOriginsController {
  constructor(private readonly relyingParty: RelyingParty) {}

  /**
   * The pages that may use the passkeys of this host; browsers ask before they let a page of another domain (WebAuthn
   * Level 3 s5.11).
   */
  @Get('webauthn')
  @Public()
  @ApiOkResponse({ type: RelatedOriginsView })
  list(): RelatedOriginsView {
    return { origins: this.relyingParty.origins };
  }
}
