import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { SecurityEvents } from '../../../src/common/events/security-events.js';
import { signIn, signUp, type Actor } from '../../support/actors.js';
import { startApp, type TestApp } from '../../support/app.js';
import { SamplesModule } from '../../support/sample/samples.module.js';
import { createSample } from '../../support/sample/samples.js';

const operator = 'operator@example.net';
let app: TestApp;
let alice: Actor;
let bob: Actor;

beforeAll(async () => {
  app = await startApp({ modules: [SamplesModule], env: { ALERT_EMAIL: operator }, instances: 1 });
  [alice, bob] = [await signUp(app, 'alice'), await signUp(app, 'bob')];
});
afterAll(() => app.close());

const mailsOf = (action: string) =>
  app.outbox().filter(({ to, subject }) => to === operator && subject === `Alarm: ${action}`);
// With: logging.
const linesOf = (action: string) => app.logs().filter(({ message }) => String(message).startsWith(`alarm ${action}:`));

/**
 * The mails of that alarm, once there are so many. They are queued a moment after the answer, so they are waited for.
 */
const alarms = async (action: string, count: number) => {
  const mails = () => mailsOf(action);
  await vi.waitFor(() => expect(mails().length).toBeGreaterThanOrEqual(count), 10_000);
  await app.mailQuiet();
  return mails();
};

describe('the operator is told at once of what never happens by mistake [practice 10.3] [ASVS 16.3.4]', () => {
  it('changes a sealed cell by SQL, and it is read three times: one mail, and an error line each time', async () => {
    const cell = '(SELECT name FROM users WHERE id = $2)';
    await app.sql(`UPDATE users SET phone = ${cell} WHERE id = $1`, [bob.userId, alice.userId]);
    for (let time = 0; time < 3; time++)
      expect((await app.request('GET', '/v1/users/me', { token: bob.token })).status).toBe(500);
    const mails = await alarms('crypt_decrypt_fail', 1);
    expect(mails).toHaveLength(1);
    expect(mails[0]?.text).toContain(`target: User ${bob.userId}`);
    expect(mails[0]?.text).toMatch(/request: [0-9a-f-]{36}/);
    expect(mails[0]?.text).not.toMatch(/alice|enc:v1/);
    // With: logging.
    expect(app.logs().filter(({ message }) => String(message).includes('alarm crypt_decrypt_fail'))).toHaveLength(3);
  });

  it('the same again after five minutes: told again', async () => {
    app.clock.advance(5 * 60 + 1);
    const { token } = await signIn(app, bob);
    expect((await app.request('GET', '/v1/users/me', { token })).status).toBe(500);
    expect(await alarms('crypt_decrypt_fail', 2)).toHaveLength(2);
  });

  it('uses a refresh token twice: the session ends, and the operator hears of the theft [A2-4]', async () => {
    const { refreshToken } = await signIn(app, alice);
    await app.request('POST', '/v1/auth/refresh', { body: { refreshToken } });
    app.clock.advance(11);
    expect((await app.request('POST', '/v1/auth/refresh', { body: { refreshToken } })).status).toBe(401);
    expect(await alarms('authn_token_reuse', 1)).toHaveLength(1);
  });

  it('every event of the table raises its alarm: an error line, and a mail with its meaning', async () => {
    const actions = [
      'crypt_decrypt_fail',
      'authn_token_reuse',
      'authn_credential_in_clear',
      'audit_write_fail',
      'authz_change',
    ] as const;
    app.clock.advance(5 * 60 + 1);
    const events = app.on(0).service.app.get(SecurityEvents, { strict: false });
    for (const action of actions) {
      // With: logging.
      const lines = linesOf(action).length;
      const mails = mailsOf(action).length;
      events.reportLater({ action, outcome: 'failure', target: { type: 'Probe', id: action } });
      await alarms(action, mails + 1);
      // With: logging.
      expect(linesOf(action)).toHaveLength(lines + 1);
      expect(mailsOf(action).at(-1)?.text).toContain(`target: Probe ${action}`);
    }
    const page = readFileSync('docs/practices/detection.md', 'utf8');
    expect([...page.matchAll(/^\| `(\w+)` \|/gm)].map(([, action]) => action).toSorted()).toEqual(
      [...actions].toSorted(),
    );
  });

  it('a credential crosses the wire in clear: the operator hears of it [A8-5]', async () => {
    app.clock.advance(5 * 60 + 1);
    const before = mailsOf('authn_credential_in_clear').length;
    const { token } = await signIn(app, alice);
    const answer = await fetch(`http://127.0.0.1:${app.on(0).addresses.http}/v1/users/me`, {
      headers: { authorization: `Bearer ${token}` },
      redirect: 'manual',
    });
    expect(answer.status).toBe(403);
    await alarms('authn_credential_in_clear', before + 1);
  });

  it('an honest person signs in, writes and reads: no alarm', async () => {
    const before = app.outbox().filter(({ to }) => to === operator).length;
    const { token } = await signIn(app, alice);
    const { id } = await createSample(app, { ...alice, token });
    expect((await app.request('GET', `/v1/samples/${id}`, { token })).status).toBe(200);
    await app.mailQuiet();
    expect(app.outbox().filter(({ to }) => to === operator)).toHaveLength(before);
  });
});
