import type { MatrixPart } from '../../security/authorization/matrix.parts.js';

const successor = { expiresInDays: 1, overlapHours: 1 };
const key = { name: 'Import', scopes: ['sample:read'], expiresInDays: 1 };

// No key has the id of a user: what is there for the owner of one is tested beside the keys.
export const matrix: MatrixPart = {
  calls: {
    'POST /v1/api-keys': { body: key, stepUp: true },
    'GET /v1/api-keys': {},
    'DELETE /v1/api-keys/:id': {},
    'POST /v1/api-keys/:id/successor': { body: successor, stepUp: true },
    'POST /v1/service-keys': { body: { ...key, service: 'Analyser' }, stepUp: true },
    'GET /v1/service-keys': {},
    'DELETE /v1/service-keys/:id': {},
    'POST /v1/service-keys/:id/successor': { body: successor, stepUp: true },
  },
};
