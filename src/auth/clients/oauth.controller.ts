import { Body, Controller, Get, Header, HttpCode, Inject, Post, Res } from '@nestjs/common';
import { ApiBadRequestResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { OpenInLockdown, Public, machineScopes } from '../../common/access/access.decorators.js';
import { MachineAuthenticators } from '../../common/access/machine-authenticators.js';
import { TakesForm } from '../../common/http/forms.js';
import { RateLimit } from '../../common/http/rate-limit.js';
import { CONFIG, type Config } from '../../config/index.js';
import { AuthorizationServer } from './authorization-server.js';
import { issuerOf, metadataPath, mount } from './issuer.js';
import { oauthLimits } from './clients.access.js';
import { PresentedToken, presentedFields, tokenFields, TokenRequest } from './clients.dto.js';
import { IntrospectionView, OAuthErrorView, RevocationView, ServerMetadataView, TokenView } from './clients.view.js';
import type { InnerAnswer } from './in-process.js';
import { signatureAlgorithms } from './public-keys.js';

/** OAuth 2.0 for services: the grant `client_credentials`, and nothing that a person or a browser takes part in. */
@ApiTags('oauth')
@Controller()
export class OAuthController {
  constructor(
    private readonly server: AuthorizationServer,
    private readonly machines: MachineAuthenticators,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** RFC 8414 s3: where the server is, and what it can do. */
  @Get(metadataPath)
  @Public()
  @ApiOkResponse({ type: ServerMetadataView })
  metadata(): ServerMetadataView {
    const issuer = issuerOf(this.config);
    const readsCertificates = this.machines.list().some(({ scheme }) => scheme.type === 'mutualTLS');
    return {
      issuer,
      token_endpoint: `${issuer}/token`,
      introspection_endpoint: `${issuer}/introspect`,
      revocation_endpoint: `${issuer}/revoke`,
      jwks_uri: `${this.config.publicUrl}/.well-known/jwks.json`,
      scopes_supported: machineScopes,
      response_types_supported: [],
      grant_types_supported: ['client_credentials'],
      token_endpoint_auth_methods_supported: ['private_key_jwt', ...(readsCertificates ? ['tls_client_auth'] : [])],
      token_endpoint_auth_signing_alg_values_supported: signatureAlgorithms,
      dpop_signing_alg_values_supported: signatureAlgorithms,
      tls_client_certificate_bound_access_tokens: readsCertificates,
    };
  }

  /** An access token for a client that proves who it is by its key (RFC 6749 s4.4, RFC 7523). */
  @Post(`${mount}/token`)
  @OpenInLockdown()
  @HttpCode(200)
  @Public()
  @RateLimit(oauthLimits)
  @TakesForm(...tokenFields)
  @ApiOkResponse({ type: TokenView })
  @ApiBadRequestResponse({ type: OAuthErrorView, description: 'RFC 6749 s5.2.' })
  @Header('Cache-Control', 'no-store')
  async token(@Body() form: TokenRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<TokenView> {
    return this.answer(await this.server.call('/token', { ...form }), reply) as unknown as TokenView;
  }

  /** What a token of the caller is worth at this moment (RFC 7662). */
  @Post(`${mount}/introspect`)
  @OpenInLockdown()
  @HttpCode(200)
  @Public()
  @RateLimit(oauthLimits)
  @TakesForm(...presentedFields)
  @ApiOkResponse({ type: IntrospectionView })
  @ApiBadRequestResponse({ type: OAuthErrorView, description: 'RFC 6749 s5.2.' })
  @Header('Cache-Control', 'no-store')
  async introspect(
    @Body() form: PresentedToken,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<IntrospectionView> {
    return this.answer(await this.server.about('/introspect', { ...form }), reply) as unknown as IntrospectionView;
  }

  /** Ends a token of the caller at once, on every instance (RFC 7009). */
  @Post(`${mount}/revoke`)
  @OpenInLockdown()
  @HttpCode(200)
  @Public()
  @RateLimit(oauthLimits)
  @TakesForm(...presentedFields)
  @ApiOkResponse({ type: RevocationView })
  @ApiBadRequestResponse({ type: OAuthErrorView, description: 'RFC 6749 s5.2.' })
  async revoke(@Body() form: PresentedToken, @Res({ passthrough: true }) reply: FastifyReply): Promise<RevocationView> {
    const answer = await this.server.about('/revoke', { ...form });
    return { ...(this.answer(answer, reply) as object), active: false };
  }

  /** 400 for every refusal (RFC 7521 s4.2.1): there is no scheme that a challenge of a 401 could name. */
  private answer({ status, body }: InnerAnswer, reply: FastifyReply) {
    if (status >= 400) void reply.code(400);
    return body;
  }
}
