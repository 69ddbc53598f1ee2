import { Body, Controller, Delete, Get, Header, HttpCode, Param, Post, Query, Redirect } from '@nestjs/common';
import { ApiBearerAuth, ApiNoContentResponse, ApiOkResponse, ApiResponse, ApiTags } from '@nestjs/swagger';
import { Can, OpenInLockdown, Public, StepUp } from '../../common/access/access.decorators.js';
import { CurrentPerson, type Person } from '../../common/access/principal.js';
import { CarriesCookie } from '../../common/http/cookies.js';
import { IdParam } from '../../common/http/fields.js';
import { TakesForm } from '../../common/http/forms.js';
import { RateLimit } from '../../common/http/rate-limit.js';
import { Refuses } from '../../common/http/refusals.decorator.js';
import { TokensView } from '../sessions/sessions.dto.js';
import { ApiCallbackQuery, CallbackQuery } from './callback-query.js';
import { IdentitiesService } from './identities.service.js';
import { IdentityProviders } from './identity-providers.js';
import { linkRefusal, signInRefusal } from './oidc-problems.js';
import { identityPermissions, logoutLimits, oidcLimits } from './oidc.access.js';
import { FinishSignIn, ProviderLogout, ProviderParam, StartLink, StartSignIn } from './oidc.dto.js';
import { OidcService } from './oidc.service.js';
import { IdentityListView, LinkView, ProviderListView } from './oidc.view.js';

const home = '/';

const Leads =
  (description: string): MethodDecorator =>
  (target, key, descriptor) => {
    Redirect()(target, key, descriptor);
    ApiResponse({ status: 303, description, headers: { Location: { schema: { type: 'string' } } } })(
      target,
      key,
      descriptor,
    );
  };

@ApiTags('auth')
@Controller('v1/auth/oidc')
export class OidcController {
  constructor(
    private readonly oidc: OidcService,
    private readonly providers: IdentityProviders,
  ) {}

  /** The providers that can be signed in with. */
  @Get('providers')
  @Public()
  @ApiOkResponse({ type: ProviderListView })
  list(): ProviderListView {
    return { items: this.providers.list().map(({ name, label }) => ({ name, label })) };
  }

  /** Leads the browser to the provider. */
  @Get(':provider/start')
  @Public()
  @RateLimit(oidcLimits)
  @Leads('The page of the provider.')
  async start(@Param() { provider }: ProviderParam, @Query() { returnTo = home, fresh }: StartSignIn) {
    const url = await this.oidc.start(provider, { returnTo, isFresh: fresh === 'true' });
    return { url, statusCode: 303 };
  }

  /** Where the provider leads the browser back. A sign-in goes on with `POST /v1/auth/oidc/sign-in`. */
  @Get(':provider/callback')
  @Public()
  @RateLimit(oidcLimits)
  @Refuses(signInRefusal, linkRefusal, 'conflict')
  @ApiCallbackQuery()
  @Leads('`returnTo` of the start.')
  // The code is in the address: nobody is told that the browser came from there.
  @Header('Referrer-Policy', 'no-referrer')
  async callback(@Param() { provider }: ProviderParam, @CallbackQuery() search: string) {
    return { url: await this.oidc.finish(provider, search), statusCode: 303 };
  }

  /** Begins the session of whoever has just come back from a provider, as a login does. */
  @Post('sign-in')
  @OpenInLockdown()
  @HttpCode(200)
  @Public()
  @RateLimit(oidcLimits)
  @CarriesCookie()
  @Refuses(signInRefusal)
  @ApiOkResponse({ type: TokensView })
  signIn(@Body() { inBrowser }: FinishSignIn): Promise<TokensView> {
    return this.oidc.signIn(inBrowser);
  }

  /** For providers: ends the sessions of a person who has signed out there. */
  @Post(':provider/backchannel-logout')
  @OpenInLockdown()
  @HttpCode(204)
  @Public()
  @RateLimit(logoutLimits)
  @TakesForm('logout_token')
  @Refuses(signInRefusal)
  @ApiNoContentResponse()
  logout(@Param() { provider }: ProviderParam, @Body() { logout_token: token }: ProviderLogout): Promise<void> {
    return this.oidc.signOut(provider, token);
  }
}

@ApiTags('auth')
@ApiBearerAuth()
@Controller('v1/auth/oidc')
export class IdentitiesController {
  constructor(
    private readonly oidc: OidcService,
    private readonly identities: IdentitiesService,
  ) {}

  /** The page of the provider, on which the caller proves the identity that is to be linked to the account. */
  @Post(':provider/link')
  @HttpCode(200)
  @Can(identityPermissions.manage)
  @StepUp()
  @RateLimit(oidcLimits)
  @CarriesCookie()
  @ApiOkResponse({ type: LinkView, headers: { 'Set-Cookie': { schema: { type: 'string' } } } })
  async link(
    @CurrentPerson() { userId, sessionId }: Person,
    @Param() { provider }: ProviderParam,
    @Body() { returnTo = home }: StartLink,
  ): Promise<LinkView> {
    return { url: await this.oidc.start(provider, { returnTo, isFresh: true, linkTo: { userId, sessionId } }) };
  }

  @Get('identities')
  @Can(identityPermissions.manage)
  @ApiOkResponse({ type: IdentityListView })
  list(@CurrentPerson() principal: Person): Promise<IdentityListView> {
    return this.identities.list(principal);
  }

  /** The caller's other sessions end. */
  @Delete('identities/:id')
  @HttpCode(204)
  @Can(identityPermissions.manage)
  @StepUp()
  @Refuses('conflict')
  @ApiNoContentResponse()
  async unlink(@CurrentPerson() principal: Person, @Param() { id }: IdParam): Promise<void> {
    await this.identities.unlink(principal, id);
  }
}
