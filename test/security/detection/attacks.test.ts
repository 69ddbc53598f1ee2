import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { Alerts, type Alert } from '../../../src/common/events/alerts.js';
import { SecurityEvents } from '../../../src/common/events/security-events.js';
import { Database } from '../../../src/database/index.js';
import { Detector } from '../../../src/security/detection/detector.js';
import { signIn, signUp, type Actor } from '../../support/actors.js';
import { startApp, type TestApp } from '../../support/app.js';
import { SamplesModule } from '../../support/sample/samples.module.js';
import { createSample } from '../../support/sample/samples.js';

let app: TestApp;
let alice: Actor;
let bob: Actor;
const raised: Alert[] = [];

/** Bursts are made small, so that the limits of the service let them through. */
const file = join(mkdtempSync(join(tmpdir(), 'rules-')), 'rules.json');
const small = { threshold: 3 };
writeFileSync(
  file,
  JSON.stringify({ not_found_burst: small, forbidden_burst: small, limited_burst: small, server_errors: small }),
);

const get = <T>(type: abstract new (...args: never[]) => T): T => app.on(0).service.app.get<T>(type, { strict: false });

beforeAll(async () => {
  app = await startApp({ modules: [SamplesModule], env: { DETECTION_RULES_FILE: file }, instances: 1 });
  get(Alerts).subscribe((alert) => raised.push(alert));
  [alice, bob] = [await signUp(app, 'alice'), await signUp(app, 'bob')];
});
afterAll(() => app.close());
beforeEach(async () => {
  await get(Detector).flush();
  raised.length = 0;
  app.clock.advance(3600);
});

/** With Redis the count is a moment later. */
const alerts = async (rule: string, count = 1): Promise<Alert[]> => {
  const found = () => raised.filter((alert) => alert.rule === rule);
  await vi.waitFor(() => expect(found().length).toBeGreaterThanOrEqual(count), 5_000);
  return found();
};
const times = async (count: number, work: () => Promise<unknown>): Promise<void> => {
  for (let time = 0; time < count; time++) await work();
};
const tokenOf = async (actor: Actor) => (await signIn(app, actor)).token;

describe('what never happens by mistake is told at once [practice 10.3] [ASVS 16.3.4]', () => {
  it('changes a sealed cell by SQL, and it is read three times: an alert and an error line each time', async () => {
    const token = await tokenOf(bob);
    await app.sql('UPDATE users SET phone = (SELECT name FROM users WHERE id = $2) WHERE id = $1', [
      bob.userId,
      alice.userId,
    ]);
    await times(3, async () => expect((await app.request('GET', '/v1/users/me', { token })).status).toBe(500));
    const found = await alerts('crypt_decrypt_fail', 3);
    expect(found).toHaveLength(3);
    expect(found[0]?.details).toMatchObject({ target: `User ${bob.userId}`, outcome: 'failure' });
    expect(found[0]?.details['request']).toMatch(/^[0-9a-f-]{36}$/);
    expect(JSON.stringify(found)).not.toMatch(/alice|enc:v1/);
    // With: logging.
    expect(app.logs().filter(({ message }) => String(message).startsWith('alert crypt_decrypt_fail:'))).toHaveLength(3);
    expect((await alerts('server_errors'))[0]?.key).toBe('GET /v1/users/me');
    await app.sql('UPDATE users SET phone = NULL WHERE id = $1', [bob.userId]);
  });

  it('uses a refresh token twice: the session ends, and the theft is told with the account [A2-4]', async () => {
    const { refreshToken } = await signIn(app, alice);
    await app.request('POST', '/v1/auth/refresh', { body: { refreshToken } });
    app.clock.advance(11);
    expect((await app.request('POST', '/v1/auth/refresh', { body: { refreshToken } })).status).toBe(401);
    expect((await alerts('authn_token_reuse'))[0]).toMatchObject({ key: alice.userId, severity: 'critical' });
  });

  it('a credential crosses the wire in clear: told [A8-5]', async () => {
    const headers = { authorization: `Bearer ${await tokenOf(alice)}` };
    const url = `http://127.0.0.1:${app.on(0).addresses.http}/v1/users/me`;
    expect((await fetch(url, { headers, redirect: 'manual' })).status).toBe(403);
    expect(await alerts('authn_credential_in_clear')).not.toHaveLength(0);
  });

  it('the change of roles is rolled back: it is told all the same, and outside of the transaction', async () => {
    const event = { action: 'authz_change', outcome: 'success', target: { type: 'user', id: bob.userId } } as const;
    const change = app
      .on(0)
      .service.app.get(Database, { strict: false })
      .transaction(async () => {
        await get(SecurityEvents).recordInTransaction(event);
        throw new Error('rolled back');
      });
    await expect(change).rejects.toThrow('rolled back');
    expect(await alerts('authz_change')).toMatchObject([{ key: bob.userId }]);
  });
});

describe('what is harmless one by one is counted [practice 10.3] [ASVS 16.3.3] [API4]', () => {
  it('guesses passwords of one account: told at the eighth', async () => {
    const body = { email: alice.email, password: 'not the one that she has' };
    await times(7, () => app.request('POST', '/v1/auth/login', { body, from: '127.9.0.1' }));
    expect(raised).toEqual([]);
    await app.request('POST', '/v1/auth/login', { body, from: '127.9.0.2' });
    expect(await alerts('account_failures')).toMatchObject([{ key: alice.userId, details: { count: 8 } }]);
  });

  it('asks for paths that are not there: told with the network, and the alert says that it is personal', async () => {
    await times(3, () => app.request('GET', '/wp-admin', { from: '127.9.0.3' }));
    expect(await alerts('not_found_burst')).toMatchObject([{ key: '127.9.0.3', isPersonal: true }]);
  });

  it('asks for what administrators have: told', async () => {
    const token = await tokenOf(alice);
    await times(3, async () =>
      expect((await app.request('GET', '/v1/users', { token, from: '127.9.0.4' })).status).toBe(403),
    );
    await alerts('forbidden_burst');
  });

  // With: rate-limiting.
  it('goes on although it is refused: told', async () => {
    const body = { email: 'nobody@example.org', password: 'not the one that they have' };
    await times(24, () => app.request('POST', '/v1/auth/login', { body, from: '127.9.0.77' }));
    expect((await alerts('limited_burst'))[0]?.key).toBe('127.9.0.77');
  });

  it('an honest person signs in, writes, reads and asks for something that is gone: no alert', async () => {
    const token = await tokenOf(alice);
    const { id } = await createSample(app, { ...alice, token });
    expect((await app.request('GET', `/v1/samples/${id}`, { token })).status).toBe(200);
    expect((await app.request('GET', '/v1/samples/01890a5d-ac96-774b-bcce-b302099a8057', { token })).status).toBe(404);
    expect(raised).toEqual([]);
  });
});
