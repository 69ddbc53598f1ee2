import type { MatrixPart } from '../../security/authorization/matrix.parts.js';

export const matrix: MatrixPart = {
  calls: {
    // Whoever signs in anew ends the session that the call came with.
    'POST /v1/auth/login': {
      fresh: 'session',
      bodyFor: ({ people: { owner } }) => ({ email: owner.email, password: owner.password }),
    },
    // Each has the right to the route, and none of them knows the present password.
    'POST /v1/auth/password/change': {
      stepUp: true,
      fresh: 'session',
      body: { oldPassword: 'not the present one', newPassword: 'violet harbour counts to nine' },
    },
  },
};
