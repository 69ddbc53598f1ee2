// With: administration.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signUp, signUpAdministrator, type Actor } from '../../../support/actors.js';
import { startApp, type TestApp } from '../../../support/app.js';
import { HeldRows } from '../../../support/held-rows.js';
import { halfSignIn } from '../../../support/second-factors.js';
import { enrolTotp, nextCode, prove } from './app.js';

// Both requests are past their guards and wait for the row of the person, which a third transaction holds.
describe('a code is proved while an administrator ends all sessions [A2-6] [ASVS 7.4.5] [ASVS 15.4.2]', () => {
  let app: TestApp;
  let admin: Actor;

  beforeAll(async () => {
    app = await startApp({ env: { RATE_LIMIT_SCALE: '1000' } });
    admin = await signUpAdministrator(app);
  });
  afterAll(() => app.close());

  it.each([
    ['the proof comes first: it begins a session, which ends', 'proof', [200, 204]],
    ['the administrator comes first: the proof is refused', 'ending', [401, 204]],
  ])('%s; nobody is left inside', async (_, first, statuses) => {
    const person = await enrolTotp(app, await signUp(app, 'carol'));
    const half = await halfSignIn(app, person);
    const code = nextCode(app, person.secret);
    const requests = {
      proof: () => prove(app, half, code),
      ending: () => app.on(1).request('DELETE', `/v1/users/${person.userId}/sessions`, { token: admin.token }),
    };
    const order = first === 'proof' ? (['proof', 'ending'] as const) : (['ending', 'proof'] as const);
    const held = await HeldRows.of(app, 'SELECT 1 FROM users WHERE id = $1', [person.userId]);
    const sent: Partial<Record<'proof' | 'ending', Promise<{ status: number }>>> = {};
    for (const [index, name] of order.entries()) {
      sent[name] = requests[name]();
      await held.untilWaiting(index + 1);
    }
    await held.release();
    expect([(await sent.proof)?.status, (await sent.ending)?.status]).toEqual(statuses);
    expect(await app.sql('SELECT id FROM sessions WHERE user_id = $1 AND ended_at IS NULL', [person.userId])).toEqual(
      [],
    );
  });
});
