import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { roles } from '../../src/common/access/permissions.js';
import { signUp, signUpAdministrator, type Actor } from '../support/actors.js';
import { startApp, type TestApp } from '../support/app.js';
import { neverIssued } from '../support/http.js';
import { SamplesModule } from '../support/sample/samples.module.js';
import { createSample } from '../support/sample/samples.js';

let app: TestApp;
let alice: Actor;
let admin: Actor;

beforeAll(async () => {
  app = await startApp({ modules: [SamplesModule] });
  [alice, admin] = await Promise.all([signUp(app, 'alice'), signUpAdministrator(app)]);
});
afterAll(() => app.close());

describe('the roles of accounts', () => {
  it('the database holds those that are declared, and no others', async () => {
    const [rule] = await app.sql<{ names: string[] }>(
      `SELECT substring(pg_get_constraintdef(oid) FROM '{[^}]*}')::text[] AS names
       FROM pg_constraint WHERE conname = 'users_roles_known'`,
    );
    const fix = `let the migration of whoever declares a role say SELECT allow_in_users('roles', '<name>');`;
    expect(rule?.names.toSorted(), fix).toEqual(roles.toSorted());
    await expect(app.sql(`UPDATE users SET roles = '{user,root}'`)).rejects.toThrow(/users_roles_known/);
    await expect(app.sql(`UPDATE users SET second_factors = '{sms}'`)).rejects.toThrow(/users_second_factors_known/);
  });

  it('a migration adds a name: it is held beside those that were there', async () => {
    await app.sql(`SELECT allow_in_users('roles', 'auditor')`);
    await app.operate(`UPDATE users SET roles = '{user,auditor}' WHERE id = $1`, [alice.userId]);
    await expect(app.sql(`UPDATE users SET roles = '{user,root}'`)).rejects.toThrow(/users_roles_known/);
    expect((await app.request('GET', '/v1/users', { token: alice.token })).status).toBe(403);
    await app.operate(`UPDATE users SET roles = '{user}' WHERE id = $1`, [alice.userId]);
  });
});

describe('users: the own account [practice 7.3]', () => {
  it('reads and changes name and phone; the columns hold sealed cells', async () => {
    const body = { name: 'Alice Renamed', phone: '+441632960961' };
    const changed = await app.request('PATCH', '/v1/users/me', { token: alice.token, body });
    expect(changed).toMatchObject({ status: 200, body: { ...body, email: alice.email, roles: ['user'] } });
    expect((await app.request('GET', '/v1/users/me', { token: alice.token })).body).toEqual(changed.body);
    const [row] = await app.sql('SELECT name, phone, email FROM users WHERE id = $1', [alice.userId]);
    for (const cell of Object.values(row ?? {})) expect(cell).toMatch(/^enc:v1:[0-9a-f-]{36}:[A-Za-z0-9_-]{38,}$/);
  });

  it.each(['roles', 'role', 'isAdmin', 'email', 'emailVerified', 'id', 'status', 'version', 'createdAt', 'password'])(
    'sets %s on the own account: 400, and the row is unchanged [A3-1] [ASVS 15.3.3]',
    async (field) => {
      const [before] = await app.sql('SELECT * FROM users WHERE id = $1', [alice.userId]);
      const body = { name: 'x', [field]: field === 'roles' ? ['user', 'admin'] : 'admin' };
      const refused = await app.request('PATCH', '/v1/users/me', { token: alice.token, body });
      expect(refused).toMatchObject({
        status: 400,
        body: { errors: [{ pointer: `/${field}`, code: 'unknown-field' }] },
      });
      expect(await app.sql('SELECT * FROM users WHERE id = $1', [alice.userId])).toEqual([before]);
    },
  );

  it('deletes the account: rows of the person are gone, and the token is dead at once [ASVS 7.4.2]', async () => {
    const person = await signUp(app, 'leaver');
    const { id } = await createSample(app, person);
    expect((await app.request('DELETE', '/v1/users/me', { token: person.token })).status).toBe(204);
    for (const instance of app.instances) {
      expect((await instance.request('GET', '/v1/users/me', { token: person.token })).status).toBe(401);
    }
    expect(
      (await app.request('POST', '/v1/auth/refresh', { body: { refreshToken: person.refreshToken } })).status,
    ).toBe(401);
    expect(await app.sql('SELECT id FROM users WHERE id = $1', [person.userId])).toEqual([]);
    expect(await app.sql('SELECT id FROM samples WHERE id = $1', [id])).toEqual([]);
    await app.auditEvent('user_deleted', (row) => row['target_id'] === person.userId);
  });
});

describe('users: administration [practice 2.3]', () => {
  it('an administrator sees others only masked [practice 7.4] [ASVS 14.2.6]', async () => {
    const { body } = await app.request('GET', `/v1/users/${alice.userId}`, { token: admin.token });
    expect(body).toMatchObject({ email: 'a***@example.org', phone: '+44********61' });
    expect(Object.keys(body).toSorted()).toEqual(['createdAt', 'email', 'id', 'phone', 'roles', 'status']);
    const list = await app.request('GET', '/v1/users?limit=100', { token: admin.token });
    expect(list.text).not.toContain(alice.email);
  });

  it('pages through all users without a gap', async () => {
    const seen: string[] = [];
    let cursor = '';
    do {
      const page = await app.request('GET', `/v1/users?limit=1${cursor}`, { token: admin.token });
      seen.push(...page.body.items.map((item: { id: string }) => item.id));
      cursor = page.body.nextCursor === null ? '' : `&cursor=${page.body.nextCursor}`;
    } while (cursor !== '');
    const rows = await app.sql<{ id: string }>('SELECT id FROM users ORDER BY id DESC');
    expect(seen).toEqual(rows.map(({ id }) => id));
  });

  it('gives and takes a role: it counts from the next request, with the old token [A5-3] [ASVS 8.3.2]', async () => {
    const person = await signUp(app, 'promoted');
    const asAdmin = () =>
      Promise.all(
        app.instances.map(
          async (instance) => (await instance.request('GET', '/v1/users', { token: person.token })).status,
        ),
      );
    const grant = (roles: string[]) =>
      app.request('PATCH', `/v1/users/${person.userId}/roles`, { token: admin.token, body: { roles } });
    expect(await asAdmin()).toEqual(app.instances.map(() => 403));
    expect((await grant(['user', 'admin'])).status).toBe(200);
    // Another instance hears of it by Redis.
    await expect.poll(asAdmin).toEqual(app.instances.map(() => 200));
    expect((await grant(['user'])).status).toBe(200);
    await expect.poll(asAdmin).toEqual(app.instances.map(() => 403));
    await app.auditEvent('authz_change', (row) => row['target_id'] === person.userId);
  });

  it('an administrator changes the own roles: 403; the last one is demoted: 409 [A5-5]', async () => {
    const body = { roles: ['user', 'admin'] };
    expect((await app.request('PATCH', `/v1/users/${admin.userId}/roles`, { token: admin.token, body })).status).toBe(
      403,
    );
    await app.auditEvent('authz_fail', (row) => row['target_id'] === admin.userId && row['outcome'] === 'denied');
    expect((await app.request('DELETE', '/v1/users/me', { token: admin.token })).status).toBe(409);
    expect(await app.sql('SELECT roles FROM users WHERE id = $1', [admin.userId])).toEqual([
      { roles: ['user', 'admin'] },
    ]);
  });

  it('two administrators demote each other at once: one stays [ASVS 15.4.2]', async () => {
    const other = await signUpAdministrator(app, 'other');
    const demote = (by: Actor, whom: Actor, index: number) =>
      app.on(index).request('PATCH', `/v1/users/${whom.userId}/roles`, { token: by.token, body: { roles: ['user'] } });
    const answers = await Promise.all([demote(admin, other, 0), demote(other, admin, 1)]);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    const admins = await app.sql<{ id: string }>(`SELECT id FROM users WHERE 'admin' = ANY (roles)`);
    expect(admins).toHaveLength(1);
    // Whoever lost goes on as the administrator of the other tests.
    if (admins[0]?.id !== admin.userId) admin = other;
  });

  it('asks for a user who does not exist: 404; with unknown roles: 422; without the base role: 422', async () => {
    expect((await app.request('GET', `/v1/users/${neverIssued}`, { token: admin.token })).status).toBe(404);
    const change = (roles: unknown) =>
      app.request('PATCH', `/v1/users/${alice.userId}/roles`, { token: admin.token, body: { roles } });
    for (const roles of [['root'], 'admin', [], ['admin'], ['user', 'user']])
      expect((await change(roles)).status).toBe(422);
  });
});
