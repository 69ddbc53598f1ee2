import { ApiProperty } from '@nestjs/swagger';
import { PageView } from '../../common/http/cursors.js';
import { id, text, time } from '../../common/http/view-kinds.js';
import { ViewField } from '../../common/http/view.js';

export class ClientView {
  @ViewField(id)
  id: string;

  @ViewField(id)
  ownerId: string;

  @ViewField(text)
  name: string;

  @ViewField({ type: 'array', items: text, description: 'The `kid` of each public key.' })
  kids: string[];

  @ViewField({ ...text, nullable: true, description: 'The name in its certificates; null for a client with keys.' })
  certificate: string | null;

  @ViewField({ type: 'array', items: text })
  scopes: string[];

  @ViewField(text)
  tier: string;

  @ViewField({ type: 'boolean' })
  requiresDpop: boolean;

  @ViewField({ type: 'string', enum: ['active', 'disabled'] })
  status: string;

  @ViewField({
    type: 'boolean',
    description: 'False: somebody changed the row past the service, and it counts for nothing.',
  })
  isWhole: boolean;

  @ViewField(time)
  createdAt: Date;
}

export class ClientListView extends PageView {
  @ViewField({ view: () => ClientView, many: true })
  items: ClientView[];
}

/** RFC 6749 s5.1. */
export class TokenView {
  @ViewField(text)
  access_token: string;

  @ViewField({ type: 'string', enum: ['Bearer', 'DPoP'] })
  token_type: string;

  @ViewField({ type: 'integer', description: 'Seconds.' })
  expires_in: number;

  @ViewField(text)
  scope: string;
}

/** RFC 6749 s5.2. */
export class OAuthErrorView {
  @ViewField({ ...text, example: 'invalid_client' })
  error: string;

  @ViewField({ ...text, required: false })
  error_description?: string;
}

const optional = { ...text, required: false } as const;
const optionalTime = { type: 'integer', required: false, description: 'Seconds since 1970.' } as const;

export class ConfirmationView {
  /** RFC 9449 s6.2. */
  @ViewField(optional)
  'jkt'?: string;

  /** RFC 8705 s3.1. */
  @ViewField(optional)
  'x5t#S256'?: string;
}

/** RFC 7662 s2.2. Of a token that counts for nothing, or is not the caller's, it has `active` alone. */
export class IntrospectionView {
  @ViewField({ type: 'boolean' })
  active: boolean;

  @ViewField(optional)
  scope?: string;

  @ViewField(optional)
  client_id?: string;

  @ViewField(optional)
  token_type?: string;

  @ViewField(optionalTime)
  exp?: number;

  @ViewField(optionalTime)
  iat?: number;

  @ViewField(optional)
  sub?: string;

  @ViewField(optional)
  aud?: string;

  @ViewField(optional)
  iss?: string;

  @ViewField(optional)
  jti?: string;

  /** The key that the token is bound to. */
  @ApiProperty({ required: false })
  @ViewField({ view: () => ConfirmationView })
  cnf?: ConfirmationView;
}

/** RFC 7009 s2.2: the same for every token, so that nobody learns whether there was one. */
export class RevocationView {
  @ViewField({ type: 'boolean', enum: [false] })
  active: boolean;
}

/** RFC 8414. */
export class ServerMetadataView {
  @ViewField(text)
  issuer: string;

  @ViewField(text)
  token_endpoint: string;

  @ViewField(text)
  introspection_endpoint: string;

  @ViewField(text)
  revocation_endpoint: string;

  @ViewField(text)
  jwks_uri: string;

  @ViewField({ type: 'array', items: text })
  scopes_supported: readonly string[];

  @ViewField({ type: 'array', items: text })
  response_types_supported: readonly string[];

  @ViewField({ type: 'array', items: text })
  grant_types_supported: readonly string[];

  @ViewField({ type: 'array', items: text })
  token_endpoint_auth_methods_supported: readonly string[];

  @ViewField({ type: 'array', items: text })
  token_endpoint_auth_signing_alg_values_supported: readonly string[];

  @ViewField({ type: 'array', items: text })
  dpop_signing_alg_values_supported: readonly string[];

  @ViewField({ type: 'boolean' })
  tls_client_certificate_bound_access_tokens: boolean;
}
