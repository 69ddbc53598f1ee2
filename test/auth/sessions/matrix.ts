import { signIn } from '../../support/actors.js';
import type { MatrixPart } from '../../security/authorization/matrix.parts.js';

export const matrix: MatrixPart = {
  calls: {
    'POST /v1/auth/logout': { fresh: 'session' },
    'POST /v1/auth/refresh': {
      bodyFor: async ({ app, people }) => ({ refreshToken: (await signIn(app, people.stranger)).refreshToken }),
    },
    'GET /v1/auth/sessions': {},
    'DELETE /v1/auth/sessions': { stepUp: true, fresh: 'person' },
    // No session has the id of a user: what is there for the owner of one is tested beside the sessions.
    'DELETE /v1/auth/sessions/:id': { stepUp: true, fresh: 'session' },
    'DELETE /v1/auth/sessions/others': { stepUp: true, fresh: 'person' },
  },
};
