import { randomUUIDv7 } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { maxOpenSessions } from '../../../src/auth/sessions/session.repository.js';
import { SessionsService } from '../../../src/auth/sessions/sessions.service.js';
import { signIn, signUp, type Actor } from '../../support/actors.js';
import { startApp, type TestApp } from '../../support/app.js';
import { meanwhile } from '../../support/meanwhile.js';
import { decode } from '../forge.js';

let app: TestApp;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.close());

const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';
const idOf = (token: string) => decode(token).payload['sid'] as string;
const list = async (token: string) =>
  (await app.request('GET', '/v1/auth/sessions', { token })).body.items as Record<string, unknown>[];
const end = async (path: string, token: string) =>
  (await app.request('DELETE', `/v1/auth/sessions${path}`, { token })).status;
const me = async (token: string, instance = 0) =>
  (await app.on(instance).request('GET', '/v1/users/me', { token })).status;
const rowOf = async (token: string) => (await app.sql('SELECT * FROM sessions WHERE id = $1', [idOf(token)]))[0] ?? {};

const expectEverywhere = async (token: string, status: number) =>
  expect(await Promise.all(app.instances.map((_, index) => me(token, index)))).toEqual(app.instances.map(() => status));

async function signInFrom(alice: Actor, parts: { userAgent: string; from: string }) {
  const headers = { 'user-agent': parts.userAgent };
  const { body } = await app.request('POST', '/v1/auth/login', {
    body: { email: alice.email, password: alice.password },
    headers,
    from: parts.from,
  });
  return body.accessToken as string;
}

describe('the list of the own sessions (ASVS V7.5) [practice 2.5] [ASVS 7.5.2]', () => {
  it('shows where one is signed in: device, coarse place, last seen, and which one this is', async () => {
    const alice = await signUp(app, 'alice');
    const token = await signInFrom(alice, { userAgent: firefox, from: '127.9.8.7' });
    const [newest, oldest] = await list(token);
    expect(newest).toEqual({
      id: idOf(token), current: true, device: 'Firefox on Linux', place: '127.9.8.0/24', secondFactorDue: false,
      authenticatedAt: expect.any(String), lastSeenAt: expect.any(String), expiresAt: expect.any(String),
    }); // prettier-ignore
    expect(oldest).toMatchObject({ id: idOf(alice.token), current: false, device: 'Unknown device' });
    expect(await list(token)).toHaveLength(2);
  });

  it('tells no token, no MAC, no counter, no whole address and not the text of the client [ASVS 7.5.2]', async () => {
    const alice = await signUp(app, 'alice');
    const token = await signInFrom(alice, { userAgent: `${firefox} secret-build/42`, from: '127.9.8.77' });
    const { text } = await app.request('GET', '/v1/auth/sessions', { token });
    for (const part of ['ounter', 'mac', 'oken', '127.9.8.77', 'secret-build', 'Gecko', alice.email])
      expect(text).not.toContain(part);
    const row = JSON.stringify(await rowOf(token));
    for (const part of ['127.9.8', 'Firefox', 'secret-build']) expect(row).not.toContain(part);
    expect(await rowOf(token)).toMatchObject({
      device: expect.stringMatching(/^enc:v1:/),
      place: expect.stringMatching(/^enc:v1:/),
    });
  });

  it('is refreshed: last seen moves, the rest stays', async () => {
    const alice = await signUp(app, 'alice');
    const [before] = await list(alice.token);
    app.clock.advance(60);
    const { body } = await app.request('POST', '/v1/auth/refresh', { body: { refreshToken: alice.refreshToken } });
    const [after] = await list(body.accessToken);
    expect(
      Date.parse(after?.['lastSeenAt'] as string) - Date.parse(before?.['lastSeenAt'] as string),
    ).toBeGreaterThanOrEqual(60_000);
    expect({ ...after, lastSeenAt: '' }).toEqual({ ...before, lastSeenAt: '' });
  });

  it('looks for the sessions of others, and for those that are over: neither is listed', async () => {
    const [alice, mallory] = [await signUp(app, 'alice'), await signUp(app, 'mallory')];
    const [idle, ended] = [await signIn(app, alice), await signIn(app, alice)];
    await app.sql(`UPDATE sessions SET refreshed_at = now() - interval '8 days' WHERE id = $1`, [idOf(idle.token)]);
    await app.request('POST', '/v1/auth/logout', { token: ended.token });
    expect((await list(alice.token)).map(({ id }) => id)).toEqual([idOf(alice.token)]);
    expect((await list(mallory.token)).map(({ id }) => id)).toEqual([idOf(mallory.token)]);
  });

  it('somebody has the password but not the second factor: the owner sees it [A2-6]', async () => {
    const alice = await signUp(app, 'alice');
    const thief = await signIn(app, alice);
    await app.operate('UPDATE sessions SET factor_due = true WHERE id = $1', [idOf(thief.token)]);
    expect(await list(alice.token)).toContainEqual(
      expect.objectContaining({ id: idOf(thief.token), secondFactorDue: true }),
    );
  });

  it('is in the export of personal data too, with device and place', async () => {
    const alice = await signUp(app, 'alice');
    const token = await signInFrom(alice, { userAgent: firefox, from: '127.9.8.7' });
    const { body } = await app.request('GET', '/v1/users/me/export', { token });
    expect(body.sessions).toContainEqual(
      expect.objectContaining({ id: idOf(token), device: 'Firefox on Linux', place: '127.9.8.0/24' }),
    );
  });
});

describe('ending sessions, at once and on every instance (ASVS V7.4, V7.5) [ASVS 7.4.1] [ASVS 7.5.2]', () => {
  it('ends the one of a lost device: access and refresh token are refused everywhere [ASVS 10.4.9]', async () => {
    const alice = await signUp(app, 'alice');
    const lost = await signIn(app, alice);
    await expectEverywhere(lost.token, 200);
    expect(await end(`/${idOf(lost.token)}`, alice.token)).toBe(204);
    await expectEverywhere(lost.token, 401);
    expect(
      (await app.on(1).request('POST', '/v1/auth/refresh', { body: { refreshToken: lost.refreshToken } })).status,
    ).toBe(401);
    expect(await rowOf(lost.token)).toMatchObject({ end_reason: 'ended-by-user' });
    await app.auditEvent(
      'session_expired',
      ({ target_id, actor_id }) => target_id === idOf(lost.token) && actor_id === alice.userId,
    );
    await expectEverywhere(alice.token, 200);
  });

  it("ends a stranger's session by its id: 404, and the session lives [A1-7]", async () => {
    const [alice, mallory] = [await signUp(app, 'alice'), await signUp(app, 'mallory')];
    const [foreign, unknown] = await Promise.all(
      [idOf(alice.token), randomUUIDv7()].map((id) =>
        app.request('DELETE', `/v1/auth/sessions/${id}`, { token: mallory.token }),
      ),
    );
    expect([foreign?.status, unknown?.status]).toEqual([404, 404]);
    expect({ ...foreign?.body, requestId: '' }).toEqual({ ...unknown?.body, requestId: '' });
    await expectEverywhere(alice.token, 200);
    expect(await rowOf(alice.token)).toMatchObject({ ended_at: null });
  });

  it('ends the same session twice, ten times in parallel: once 204, then 404, and one audit event', async () => {
    const alice = await signUp(app, 'alice');
    const lost = await signIn(app, alice);
    const statuses = await Promise.all(
      Array.from(
        { length: 10 },
        async (_, index) =>
          (await app.on(index).request('DELETE', `/v1/auth/sessions/${idOf(lost.token)}`, { token: alice.token }))
            .status,
      ),
    );
    expect(statuses.toSorted()).toEqual([204, ...Array.from({ length: 9 }, () => 404)]);
    expect(
      await app.sql(`SELECT id FROM audit_events WHERE action = 'session_expired' AND target_id = $1`, [
        idOf(lost.token),
      ]),
    ).toHaveLength(1);
  });

  it('ends all others: they are refused, this one stays', async () => {
    const alice = await signUp(app, 'alice');
    const [one, two] = [await signIn(app, alice), await signIn(app, alice)];
    const bob = await signUp(app, 'bob');
    for (const { token } of [alice, one, two, bob]) await expectEverywhere(token, 200);
    expect(await end('/others', alice.token)).toBe(204);
    for (const { token } of [one, two]) await expectEverywhere(token, 401);
    for (const { token } of [alice, bob]) await expectEverywhere(token, 200);
    expect((await list(alice.token)).map(({ current }) => current)).toEqual([true]);
  });

  it.each(['/others', ''])(
    'a thief ends all others (DELETE /v1/auth/sessions%s) while the owner ends the thief: 401 [ASVS 8.3.2]',
    async (path) => {
      const alice = await signUp(app, 'alice');
      const thief = await signIn(app, alice);
      meanwhile(app, async () => expect(await end(`/${idOf(thief.token)}`, alice.token)).toBe(204));
      expect(await end(path, thief.token)).toBe(401);
      await expectEverywhere(alice.token, 200);
      vi.restoreAllMocks();
    },
  );

  it('ends all: this one too, and the browser is told to forget [ASVS 14.3.1]', async () => {
    const alice = await signUp(app, 'alice');
    const other = await signIn(app, alice);
    const answer = await app.request('DELETE', '/v1/auth/sessions', { token: alice.token });
    expect([answer.status, answer.headers['clear-site-data']]).toEqual([204, '"cache", "cookies", "storage"']);
    for (const { token } of [alice, other]) await expectEverywhere(token, 401);
  });

  it.each(['/others', '', `/${randomUUIDv7()}`])(
    'a stolen session of an hour ago ends sessions by %j: sign in again first [ASVS 7.5.2]',
    async (path) => {
      const alice = await signUp(app, 'alice');
      const stolen = await signIn(app, alice);
      await app.operate(`UPDATE sessions SET authenticated_at = now() - interval '1 hour' WHERE id = $1`, [
        idOf(stolen.token),
      ]);
      const { status, body } = await app.request('DELETE', `/v1/auth/sessions${path}`, { token: stolen.token });
      expect([status, body.type]).toEqual([401, '/problems/step-up-required']);
      await expectEverywhere(alice.token, 200);
    },
  );

  it.each(['/OTHERS', '/1', '/..%2fothers', '/%00', '?except=current', '/others?all=true'])(
    'asks for %j: nothing ends',
    async (path) => {
      const alice = await signUp(app, 'alice');
      const other = await signIn(app, alice);
      expect([400, 404]).toContain(await end(path, alice.token));
      expect([await me(alice.token), await me(other.token)]).toEqual([200, 200]);
    },
  );
});

describe('a person has at most 100 open sessions [ASVS 7.1.2]', () => {
  const open = async ({ userId }: Actor) =>
    (await app.sql('SELECT id FROM sessions WHERE user_id = $1 AND ended_at IS NULL', [userId])).length;
  const fill = ({ userId }: Actor) =>
    app.operate(
      `INSERT INTO sessions (id, user_id, refreshed_at, authenticated_at, methods, expires_at)
       SELECT ('00000000-0000-7000-8000-' || lpad(i::text, 4, '0') || substr(md5($1 || i), 1, 8))::uuid, $1::uuid,
         now() - i * interval '1 minute', now(), '{pwd}', now() + interval '20 days'
       FROM generate_series(1, $2) i`,
      [userId, maxOpenSessions - 1],
    );

  it('signs in once more: the one that was used longest ago ends, with its reason, and no other', async () => {
    const alice = await signUp(app, 'alice');
    await fill(alice);
    await app.sql(`UPDATE sessions SET refreshed_at = now() - interval '1 day' WHERE id = $1`, [idOf(alice.token)]);
    const { token } = await signIn(app, alice);
    expect(await open(alice)).toBe(maxOpenSessions);
    expect(await rowOf(alice.token)).toMatchObject({ end_reason: 'too-many-sessions' });
    await expectEverywhere(alice.token, 401);
    expect(await list(token)).toHaveLength(maxOpenSessions);
  });

  it('begins a hundred half sign-ins: they go first, the session of the owner stays [A2-6]', async () => {
    const alice = await signUp(app, 'alice');
    await fill(alice);
    await app.operate('UPDATE sessions SET factor_due = true WHERE user_id = $1 AND id <> $2', [
      alice.userId,
      idOf(alice.token),
    ]);
    await app.sql(`UPDATE sessions SET refreshed_at = now() - interval '1 day' WHERE id = $1`, [idOf(alice.token)]);
    await signIn(app, alice);
    expect(await rowOf(alice.token)).toMatchObject({ end_reason: null });
    expect(
      await app.sql('SELECT factor_due FROM sessions WHERE user_id = $1 AND end_reason IS NOT NULL', [alice.userId]),
    ).toEqual([{ factor_due: true }]);
    await expectEverywhere(alice.token, 200);
  });

  it('16 sign-ins of all instances begin their sessions in the same moment: never more than 100', async () => {
    const alice = await signUp(app, 'alice');
    await fill(alice);
    // Beside the password: its hashing lets only a few through at a time, and the race would hardly ever happen. No
    // more than the instances have connections, or some would wait for one.
    const begin = (index: number) =>
      app
        .on(index)
        .service.app.get(SessionsService, { strict: false })
        .signIn({ userId: alice.userId, methods: ['pwd'] });
    await Promise.all(Array.from({ length: 16 }, (_, index) => begin(index)));
    expect(await open(alice)).toBe(maxOpenSessions);
  });
});
