import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signUp, signUpAdministrator, type Actor } from '../../support/actors.js';
import { startApp, type TestApp } from '../../support/app.js';
import { HeldRows } from '../../support/held-rows.js';

describe('a change waits: what is true when it goes on decides [A5-3]', () => {
  let app: TestApp;
  let admin: Actor;
  beforeAll(async () => {
    app = await startApp({ env: { RATE_LIMIT_SCALE: '1000' } });
    admin = await signUpAdministrator(app);
  });
  afterAll(() => app.close());

  const administrators = () => app.sql(`SELECT id FROM users WHERE 'admin' = ANY (roles) AND status = 'active'`);
  const demote = (by: Actor, id: string, index: number) =>
    app.on(index).request('PATCH', `/v1/users/${id}/roles`, { token: by.token, body: { roles: ['user'] } });

  it('an administrator is locked while their change waits: 401, nothing changes [A5-3] [ASVS 8.3.2]', async () => {
    await app.operate(`UPDATE users SET roles = '{user}' WHERE id <> $1`, [admin.userId]);
    const other = await signUp(app, 'other');
    const held = await HeldRows.of(app, 'SELECT id FROM users WHERE id = ANY ($1) ORDER BY id', [
      [admin.userId, other.userId],
    ]);
    await held.operate(`UPDATE users SET roles = '{user,admin}' WHERE id = $1`, [other.userId]);
    await held.operate(`UPDATE users SET status = 'disabled' WHERE id = $1`, [admin.userId]);
    const demoted = demote(admin, other.userId, 0);
    await held.untilWaiting(1);
    await held.release();
    expect((await demoted).status).toBe(401);
    await app.auditEvent(
      'authz_fail',
      ({ actor_id, details }) =>
        actor_id === admin.userId && (details as { reason?: string }).reason === 'session-ended',
    );
    expect(await administrators()).toEqual([{ id: other.userId }]);
    await app.operate(`UPDATE users SET status = 'active', roles = CASE id WHEN $1 THEN roles ELSE '{user}' END`, [
      admin.userId,
    ]);
  });

  it('an administrator is demoted while their grant waits: 403, nothing changes [A5-3] [ASVS 8.3.2]', async () => {
    const [other, friend] = [await signUpAdministrator(app, 'other'), await signUp(app, 'friend')];
    const held = await HeldRows.of(app, 'SELECT id FROM users WHERE id = $1', [other.userId]);
    await held.operate(`UPDATE users SET roles = '{user}' WHERE id = $1`, [other.userId]);
    const granted = app.request('PATCH', `/v1/users/${friend.userId}/roles`, {
      token: other.token,
      body: { roles: ['user', 'admin'] },
    });
    await held.untilWaiting(1);
    await held.release();
    expect((await granted).status).toBe(403);
    expect(await app.sql('SELECT roles FROM users WHERE id = $1', [friend.userId])).toEqual([{ roles: ['user'] }]);
    await app.auditEvent(
      'authz_fail',
      ({ actor_id, details }) => actor_id === other.userId && (details as { reason?: string }).reason === 'right-lost',
    );
  });
});
