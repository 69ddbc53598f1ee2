import type { MatrixPart } from '../../../security/authorization/matrix.parts.js';

export const matrix: MatrixPart = {
  calls: {
    'POST /v1/auth/totp': { stepUp: true, fresh: 'person' },
    'DELETE /v1/auth/totp': { stepUp: true, fresh: 'person' },
    'POST /v1/auth/totp/confirm': { body: { code: '000000' } },
    'POST /v1/auth/totp/verify': { body: { code: '000000' } },
  },
};
