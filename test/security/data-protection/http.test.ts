import { Decipheriv } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { decode } from '../../auth/forge.js';
import { signUp, signUpAdministrator, type Actor } from '../../support/actors.js';
import { startApp, type TestApp } from '../../support/app.js';

// The attacker writes to the database of the running service; what its clients then get.

let app: TestApp;
let alice: Actor;
let admin: Actor;

beforeAll(async () => {
  app = await startApp({ instances: 1 });
  [alice, admin] = [await signUp(app, 'alice'), await signUpAdministrator(app)];
});
afterAll(() => app.close());

const fault = (field: string, rowId: string) =>
  app.auditEvent(
    'crypt_decrypt_fail',
    (event) => event['target_id'] === rowId && JSON.stringify(event['details']).includes(field),
  );

/** @returns the id of another session of alice. */
async function signInOn(browser: string): Promise<string> {
  const { email, password } = alice;
  const headers = { 'user-agent': `Mozilla/5.0 (X11; Linux x86_64) ${browser}/140.0` };
  const { body } = await app.request('POST', '/v1/auth/login', { body: { email, password }, headers });
  return decode(body.accessToken as string).payload['sid'] as string;
}

describe('a cell is moved by SQL [practice 7.3] [ASVS 11.3.3]', () => {
  it('to another row of the same person and column: 500, an alarm, and not the text', async () => {
    const [one, other] = [await signInOn('Firefox'), await signInOn('Chrome')];
    await app.sql('UPDATE sessions SET device = (SELECT device FROM sessions WHERE id = $1) WHERE id = $2', [
      one,
      other,
    ]);
    const list = () => app.request('GET', '/v1/auth/sessions', { token: alice.token });
    const { status, text } = await list();
    expect([status, text.includes('Firefox')]).toEqual([500, false]);
    await fault('device', other);
    await app.sql('UPDATE sessions SET device = NULL WHERE id = $1', [other]);
    expect((await list()).text).toContain('Firefox');
  });

  it('to another column of the same row: 500, an alarm, and not the text', async () => {
    const ben = await signUp(app, 'ben');
    await app.sql('UPDATE users SET phone = name WHERE id = $1', [ben.userId]);
    const { status, text } = await app.request('GET', '/v1/users/me', { token: ben.token });
    expect([status, text.includes('"phone":"ben"')]).toEqual([500, false]);
    await fault('phone', ben.userId);
    await app.sql('UPDATE users SET phone = NULL WHERE id = $1', [ben.userId]);
  });
});

describe('the list of users [practice 7.3] [ASVS 15.3.1]', () => {
  it('opens the cells that it shows, and no other: a name is not even decrypted', async () => {
    await app.request('PATCH', '/v1/users/me', { token: alice.token, body: { phone: '+41446681800' } });
    await app.mailQuiet();
    const list = () => app.request('GET', '/v1/users', { token: admin.token });
    // The first one unwraps data keys, too.
    expect((await list()).status).toBe(200);
    const opened = vi.spyOn(Decipheriv.prototype, 'final');
    const { body } = await list();
    const cells = opened.mock.calls.length;
    opened.mockRestore();
    const [{ shown } = {}] = await app.sql('SELECT count(*)::int + count(phone)::int AS shown FROM users');
    expect([body.items.length, cells]).toEqual([3, shown]);
  });
});
