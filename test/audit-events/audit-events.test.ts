import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { endBeside } from '../cli/ends.js';
import { signIn, signUp, signUpAdministrator, type Actor } from '../support/actors.js';
import { startApp, type TestApp } from '../support/app.js';

let app: TestApp;
let alice: Actor;
let auditor: Actor;
const end = endBeside(() => app);

interface ShownEvent {
  readonly id: string;
  readonly action: string;
  readonly outcome: string;
  readonly actorId: string | null;
  readonly byYou: boolean;
  readonly network: string | null;
}

beforeAll(async () => {
  app = await startApp({ env: { RATE_LIMIT_SCALE: '1000' } });
  [alice, auditor] = await Promise.all([signUp(app, 'alice'), signUp(app, 'auditor')]);
  expect((await end('users:grant', [auditor.email, 'auditor'])).code).toBe(0);
  auditor = { ...auditor, ...(await signIn(app, auditor)) };
});
afterAll(() => app.close());

const list = (query: string, { token } = auditor) => app.request('GET', `/v1/audit/events?${query}`, { token });
const own = async (actor: Actor, query = ''): Promise<ShownEvent[]> =>
  (await app.request('GET', `/v1/users/me/events?${query}`, { token: actor.token })).body.items as ShownEvent[];

describe('the audit trail is read by auditors, and by nobody else [ASVS 16.4.2] [API5]', () => {
  it('an auditor finds what a person did, without the MAC, and the reading is in the trail', async () => {
    const { status, body } = await list(`actorId=${alice.userId}&action=authn_login_success&outcome=success`);
    expect([status, body.items.length]).toEqual([200, 1]);
    expect(body.items[0]).toMatchObject({ actorId: alice.userId, action: 'authn_login_success', outcome: 'success' });
    expect(body.items[0].details).toContainEqual({ name: 'methods', value: '["pwd"]' });
    expect(Object.keys(body.items[0] as object)).not.toContain('mac');
    await app.auditEvent(
      'sensitive_read',
      ({ actor_id, target_id }) => [actor_id, target_id].join() === [auditor.userId, alice.userId].join(),
    );
  });

  it('neither a user nor an administrator reads it: 403, and the attempt is in it', async () => {
    const admin = await signUpAdministrator(app);
    for (const actor of [alice, admin]) {
      expect((await list('', actor)).status).toBe(403);
      await app.auditEvent('authz_fail', ({ actor_id }) => actor_id === actor.userId);
    }
  });

  it('an auditor administers nothing: 403 for the account of another', async () => {
    const path = `/v1/users/${alice.userId}/roles`;
    const { status } = await app.request('PATCH', path, { token: auditor.token, body: { roles: ['user', 'admin'] } });
    expect(status).toBe(403);
  });

  it('page by page, each event once, to the end', async () => {
    const seen: string[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const { body } = await list(`limit=2&actorId=${alice.userId}${cursor === '' ? '' : `&cursor=${cursor}`}`);
      seen.push(...(body.items as ShownEvent[]).map(({ id }) => id));
      cursor = body.nextCursor as string | null;
    }
    const rows = await app.sql('SELECT id FROM audit_events WHERE actor_id = $1 ORDER BY id DESC', [alice.userId]);
    expect(seen).toEqual(rows.map((row) => row['id']));
  });

  it.each(['outcome=any', 'actorId=1', 'action=', 'at=2026', 'limit=101'])('%s: refused', async (query) => {
    expect([400, 422]).toContain((await list(query)).status);
  });
});

describe('each person sees the events of their account, and of no other [API1] [API3]', () => {
  it('the caller’s own, newest first, with where they came from', async () => {
    const events = await own(alice);
    expect(events.map(({ action }) => action)).toContain('authn_login_success');
    expect(events.every(({ byYou, network }) => byYou && network !== null)).toBe(true);
    const others = new Set(
      (await app.sql('SELECT id FROM audit_events WHERE actor_id = $1', [auditor.userId])).map((row) => row['id']),
    );
    expect(events.filter(({ id }) => others.has(id))).toEqual([]);
  });

  // With: administration.
  it('what an administrator did to the account is there, without who and from where', async () => {
    const [admin, vic] = [await signUpAdministrator(app), await signUp(app, 'vic')];
    const { token } = await signIn(app, admin);
    expect((await app.request('DELETE', `/v1/users/${vic.userId}/sessions`, { token })).status).toBe(204);
    const events = await own({ ...vic, ...(await signIn(app, vic)) });
    const ended = events.find(({ action }) => action === 'session_expired');
    expect(ended).toMatchObject({ byYou: false, network: null });
    expect(JSON.stringify(events)).not.toContain(admin.userId);
  });

  it('somebody else’s cursor opens nothing: 400', async () => {
    const path = '/v1/users/me/events?limit=1';
    const { body } = await app.request('GET', path, { token: alice.token });
    const stolen = await app.request('GET', `${path}&cursor=${body.nextCursor}`, { token: auditor.token });
    expect(stolen.status).toBe(400);
  });
});
