import type { MatrixPart } from '../security/authorization/matrix.parts.js';

export const matrix: MatrixPart = {
  calls: {
    'GET /v1/users': {},
    'GET /v1/users/:id': {},
    'PATCH /v1/users/:id/roles': { stepUp: true, body: { roles: ['user'] }, fresh: 'session' },
    'GET /v1/users/me': {},
    'PATCH /v1/users/me': { body: { phone: null } },
    'DELETE /v1/users/me': { stepUp: true, fresh: 'person' },
    'GET /v1/users/me/export': { stepUp: true, fresh: 'session' },
  },
};
