import type { MatrixPart } from '../../../security/authorization/matrix.parts.js';

export const matrix: MatrixPart = {
  calls: {
    'GET /v1/auth/recovery-codes': {},
    'POST /v1/auth/recovery-codes': { stepUp: true, fresh: 'person' },
    'POST /v1/auth/recovery-codes/verify': { body: { code: 'x' } },
  },
};
