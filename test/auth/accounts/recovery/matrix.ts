import { anyEmail } from '../../../support/actors.js';
import type { MatrixPart } from '../../../security/authorization/matrix.parts.js';

export const matrix: MatrixPart = {
  calls: {
    'POST /v1/auth/password/forgot': { bodyFor: () => ({ email: anyEmail() }) },
    'POST /v1/auth/password/reset': { body: { token: 'x', password: 'violet harbour counts to nine' } },
  },
};
