import type { MatrixPart } from '../../security/authorization/matrix.parts.js';

// Without a provider in the configuration: what one signs in is tested beside this.
export const matrix: MatrixPart = {
  calls: {
    'GET /v1/auth/oidc/providers': {},
    'GET /v1/auth/oidc/:provider/start': {},
    'GET /v1/auth/oidc/:provider/callback': {},
    'POST /v1/auth/oidc/sign-in': { body: {} },
    'POST /v1/auth/oidc/:provider/backchannel-logout': { body: { logout_token: 'x' } },
    'POST /v1/auth/oidc/:provider/link': { body: {}, fresh: 'session', stepUp: true },
    'GET /v1/auth/oidc/identities': {},
    'DELETE /v1/auth/oidc/identities/:id': { fresh: 'session', stepUp: true },
  },
};
