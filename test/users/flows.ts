import type { Flows } from '../atomicity/flow.js';
import { signUp } from '../support/actors.js';
import { leaveEveryTrace } from '../support/every-trace.js';

export const flows: Flows = {
  'erases an account with rows of every feature': {
    isKilled: true,
    prepare: async (app) => {
      const leaver = await signUp(app, 'leaver');
      await leaveEveryTrace(app, leaver);
      return { method: 'DELETE', path: '/v1/users/me', parts: { token: leaver.token } };
    },
  },
};
