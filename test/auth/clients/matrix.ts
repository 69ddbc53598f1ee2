import type { MatrixPart, Players } from '../../security/authorization/matrix.parts.js';
import { newKey } from './registered-client.js';

const create = ({ victim }: Players) => ({
  name: 'Analyser',
  ownerId: victim.userId,
  scopes: ['sample:read'],
  key: newKey().jwk,
});
const fresh = 'session';

// Of a client that is not there: what is done to one is tested beside this.
export const matrix: MatrixPart = {
  calls: {
    'GET /.well-known/oauth-authorization-server/oauth': {},
    'POST /oauth/token': {},
    'POST /oauth/introspect': {},
    'POST /oauth/revoke': {},
    'POST /v1/clients': { bodyFor: create, fresh, stepUp: true },
    'GET /v1/clients': {},
    'GET /v1/clients/:id': {},
    'PUT /v1/clients/:id/keys': { body: { key: newKey().jwk }, fresh, stepUp: true },
    'POST /v1/clients/:id/disable': { fresh, stepUp: true },
    'POST /v1/clients/:id/enable': { fresh, stepUp: true },
    'DELETE /v1/clients/:id': { fresh, stepUp: true },
  },
};
