// With: administration.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signUp, signUpAdministrator, type Actor } from '../../../support/actors.js';
import { startApp, type TestApp } from '../../../support/app.js';
import { HeldRows } from '../../../support/held-rows.js';
import { register, trySignIn } from './ceremonies.js';

// Both requests are past their guards and wait for the row of the person, which a third transaction holds.
describe('a passkey signs in while an administrator demands a reset [A2-8] [ASVS 6.4.6] [ASVS 15.4.2]', () => {
  let app: TestApp;
  let admin: Actor;

  beforeAll(async () => {
    app = await startApp({ env: { RATE_LIMIT_SCALE: '1000' } });
    admin = await signUpAdministrator(app);
  });
  afterAll(() => app.close());

  it.each([
    ['the sign-in comes first: it begins a session, which ends', 'signIn', [200, 204]],
    ['the demand comes first: the sign-in is refused', 'demand', [401, 204]],
  ])('%s; nobody is left inside', async (_, first, statuses) => {
    const carol = await signUp(app, 'carol');
    const { authenticator } = await register(app, carol);
    const requests = {
      signIn: () => trySignIn(app, authenticator),
      demand: () => app.on(1).request('POST', `/v1/users/${carol.userId}/password-reset`, { token: admin.token }),
    };
    const order = first === 'signIn' ? (['signIn', 'demand'] as const) : (['demand', 'signIn'] as const);
    const held = await HeldRows.of(app, 'SELECT 1 FROM users WHERE id = $1', [carol.userId]);
    const sent: Partial<Record<'signIn' | 'demand', Promise<{ status: number }>>> = {};
    for (const [index, name] of order.entries()) {
      sent[name] = requests[name]();
      await held.untilWaiting(index + 1);
    }
    await held.release();
    expect([(await sent.signIn)?.status, (await sent.demand)?.status]).toEqual(statuses);
    expect(await app.sql('SELECT id FROM sessions WHERE user_id = $1 AND ended_at IS NULL', [carol.userId])).toEqual(
      [],
    );
  });
});
