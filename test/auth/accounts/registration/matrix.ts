import { anyEmail } from '../../../support/actors.js';
import type { MatrixPart } from '../../../security/authorization/matrix.parts.js';

export const matrix: MatrixPart = {
  calls: {
    'POST /v1/auth/register': { bodyFor: () => ({ email: anyEmail() }) },
    'POST /v1/auth/email/resend': { bodyFor: () => ({ email: anyEmail() }) },
    'POST /v1/auth/email/verify': { body: { token: 'x', password: 'violet harbour counts to nine', name: 'M' } },
  },
};
