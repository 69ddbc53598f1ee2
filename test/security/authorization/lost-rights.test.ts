import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signIn, signUp, signUpAdministrator, type Actor } from '../../support/actors.js';
import { startApp, type TestApp } from '../../support/app.js';

let app: TestApp;
let admin: Actor;
let victim: Actor;

beforeAll(async () => {
  app = await startApp({ env: { RATE_LIMIT_SCALE: '1000' } });
  [admin, victim] = [await signUpAdministrator(app), await signUp(app, 'victim')];
});
afterAll(() => app.close());

const everywhere = (token: string) =>
  Promise.all(app.instances.map(async (instance) => (await instance.request('GET', '/v1/users', { token })).status));
const all = (status: number) => app.instances.map(() => status);
/** Another instance hears of it by a message, and after the micro-cache's 2 s at the latest. */
const expectSoon = (token: string, status: number) =>
  expect.poll(() => everywhere(token), { timeout: 2_500, interval: 20 }).toEqual(all(status));
const refresh = (refreshToken: string) => app.request('POST', '/v1/auth/refresh', { body: { refreshToken } });
const promote = (token: string, id: string) =>
  app.request('PATCH', `/v1/users/${id}/roles`, { token, body: { roles: ['user', 'admin'] } });
const rolesOf = ({ userId }: Actor) => app.sql('SELECT roles FROM users WHERE id = $1', [userId]);

describe('an administrator who is none any more, with everything from before (ASVS V8.3)', () => {
  it('demoted: both tokens give what users have, and no role comes back [A5-3] [ASVS 8.3.2]', async () => {
    const former = await signUpAdministrator(app, 'former');
    const phone = await signIn(app, former);
    expect(await everywhere(former.token)).toEqual(all(200));
    expect(
      (
        await app.request('PATCH', `/v1/users/${former.userId}/roles`, {
          token: admin.token,
          body: { roles: ['user'] },
        })
      ).status,
    ).toBe(200);
    expect((await app.request('GET', '/v1/users', { token: former.token })).status).toBe(403);
    await Promise.all([expectSoon(former.token, 403), expectSoon(phone.token, 403)]);
    const renewed = await refresh(phone.refreshToken);
    expect(renewed.status).toBe(200);
    expect(await everywhere(renewed.body.accessToken as string)).toEqual(all(403));
    for (const id of [former.userId, victim.userId])
      expect((await promote(renewed.body.accessToken as string, id)).status).toBe(403);
    expect([...(await rolesOf(former)), ...(await rolesOf(victim))]).toEqual([
      { roles: ['user'] },
      { roles: ['user'] },
    ]);
    await app.auditEvent('authz_fail', ({ actor_id, outcome }) => actor_id === former.userId && outcome === 'denied');
  });

  // With: administration.
  it('disabled: neither token opens anything, and what was begun is not finished [A5-3] [ASVS 7.4.2]', async () => {
    const former = await signUpAdministrator(app, 'locked');
    expect(await everywhere(former.token)).toEqual(all(200));
    expect(
      (
        await app.request('PATCH', `/v1/users/${former.userId}/status`, {
          token: admin.token,
          body: { status: 'disabled' },
        })
      ).status,
    ).toBe(200);
    expect((await app.request('GET', '/v1/users', { token: former.token })).status).toBe(401);
    await expectSoon(former.token, 401);
    expect((await refresh(former.refreshToken)).status).toBe(401);
    expect((await promote(former.token, victim.userId)).status).toBe(401);
    expect(await rolesOf(victim)).toEqual([{ roles: ['user'] }]);
  });

  // With: administration.
  it('ended by sign-out of everyone: the administrator who did it is signed out too [A5-3]', async () => {
    const last = await signUpAdministrator(app, 'last');
    expect((await app.request('DELETE', '/v1/sessions', { token: last.token })).status).toBe(204);
    await expectSoon(last.token, 401);
    expect((await refresh(last.refreshToken)).status).toBe(401);
    expect(await app.sql('SELECT id FROM sessions WHERE ended_at IS NULL')).toEqual([]);
  });
});
