import { post, type Flows } from '../../../atomicity/flow.js';
import { anyEmail, mailedToken } from '../../../support/actors.js';

export const flows: Flows = {
  'registers an address': {
    prepare: async (app) => {
      // Somebody has registered before: the first mail of all makes a data key.
      await app.request('POST', '/v1/auth/register', { body: { email: anyEmail() } });
      return post('/v1/auth/register', { email: anyEmail() });
    },
  },
  'verifies it, which makes the user': {
    isKilled: true,
    prepare: async (app) => {
      const email = anyEmail();
      await app.request('POST', '/v1/auth/register', { body: { email } });
      await app.mailTo(email);
      const token = await mailedToken(app, email);
      return post('/v1/auth/email/verify', { token, password: 'violet harbour counts to nine', name: 'N' });
    },
  },
};
