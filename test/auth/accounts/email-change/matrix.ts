import { anyEmail } from '../../../support/actors.js';
import type { MatrixPart } from '../../../security/authorization/matrix.parts.js';

export const matrix: MatrixPart = {
  calls: {
    'POST /v1/auth/email/change': { stepUp: true, fresh: 'session', bodyFor: () => ({ email: anyEmail() }) },
    'POST /v1/auth/email/confirm': { body: { token: 'x' } },
  },
};
