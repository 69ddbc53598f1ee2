import type { MatrixPart } from '../security/authorization/matrix.parts.js';

export const matrix: MatrixPart = { calls: { 'GET /v1/audit/events': {}, 'GET /v1/users/me/events': {} } };
