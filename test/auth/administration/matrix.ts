import type { MatrixPart, Players } from '../../security/authorization/matrix.parts.js';

const onVictim = ({ victim }: Players) => ({ id: victim.userId });

export const matrix: MatrixPart = {
  calls: {
    // It would end every session of the matrix: an administrator who signed in some time ago is asked to do it again.
    'DELETE /v1/sessions': { stepUp: true, fresh: 'stale session' },
    'POST /v1/users/:id/password-reset': { stepUp: true, on: onVictim, fresh: 'session' },
    'DELETE /v1/users/:id/sessions': { stepUp: true, on: onVictim, fresh: 'session' },
    'PATCH /v1/users/:id/status': { stepUp: true, on: onVictim, body: { status: 'active' }, fresh: 'session' },
  },
};
