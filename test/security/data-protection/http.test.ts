import { Decipheriv } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { signUp, signUpAdministrator, type Actor } from '../../support/actors.js';
import { startApp, type TestApp } from '../../support/app.js';
import { createResource } from '../../support/resources.js';

// The attacker writes to the database of the running service; what its clients then get.

let app: TestApp;
let alice: Actor;
let admin: Actor;

beforeAll(async () => {
  app = await startApp({ instances: 1 });
  [alice, admin] = [await signUp(app, 'alice'), await signUpAdministrator(app)];
});
afterAll(() => app.close());

const fault = (field: string, rowId: string) => app.auditEvent('crypt_decrypt_fail', (event) => event['target_id'] === rowId && JSON.stringify(event['details']).includes(field));

describe('a cell is moved by SQL [practice 7.3] [ASVS 11.3.3]', () => {
  it('to another row of the same person and column: 500, an alarm, and not the text', async () => {
    const [one, other] = [await createResource(app, alice, { note: 'for the first alone' }), await createResource(app, alice, { note: 'the second' })];
    await app.sql('UPDATE resources SET note = (SELECT note FROM resources WHERE id = $1) WHERE id = $2', [one.id, other.id]);
    const { status, text } = await app.request('GET', `/v1/resources/${other.id}`, { token: alice.token });
    expect([status, text.includes('for the first alone')]).toEqual([500, false]);
    await fault('note', other.id);
    expect((await app.request('GET', `/v1/resources/${one.id}`, { token: alice.token })).body).toMatchObject({ note: 'for the first alone' });
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
