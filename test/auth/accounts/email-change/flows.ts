import { post, type Flows } from '../../../atomicity/flow.js';
import { anyEmail, mailedToken, signUp } from '../../../support/actors.js';
import type { TestApp } from '../../../support/app.js';

/** A change of address that both mailboxes have to agree to. */
async function changing(app: TestApp) {
  const [person, to] = [await signUp(app, 'mover'), anyEmail()];
  await app.request('POST', '/v1/auth/password/forgot', { body: { email: person.email } });
  await app.request('POST', '/v1/auth/email/change', { token: person.token, body: { email: to } });
  await Promise.all([app.mailTo(person.email, 'Confirm that'), app.mailTo(to)]);
  return { old: await mailedToken(app, person.email), new: await mailedToken(app, to) };
}

export const flows: Flows = {
  'confirms a change of address at the first mailbox': {
    prepare: async (app) => post('/v1/auth/email/confirm', { token: (await changing(app)).new }),
  },
  'confirms it at the second mailbox': {
    isKilled: true,
    prepare: async (app) => {
      const tokens = await changing(app);
      await app.request('POST', '/v1/auth/email/confirm', { body: { token: tokens.new } });
      return post('/v1/auth/email/confirm', { token: tokens.old });
    },
  },
};
