import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signIn, signUp, type Actor } from '../../support/actors.js';
import { startApp, type TestApp } from '../../support/app.js';
import { decode, flipBit } from '../forge.js';

const day = 24 * 60 * 60;

describe('refresh tokens rotate, and theft is noticed (RFC 9700 s4.14, ASVS V10.4)', () => {
  let app: TestApp;
  let alice: Actor;

  beforeAll(async () => {
    app = await startApp();
    alice = await signUp(app, 'alice');
  });
  afterAll(() => app.close());

  const refresh = (refreshToken: string, instance = 0) =>
    app.on(instance).request('POST', '/v1/auth/refresh', { body: { refreshToken } });
  const me = async (token: string) => (await app.request('GET', '/v1/users/me', { token })).status;
  // With: notices.
  const notices = async () => {
    await app.mailQuiet();
    return app.outbox().filter(({ to, subject }) => to === alice.email && subject.includes('signed out'));
  };

  it('an honest client refreshes again and again, and keeps its session', async () => {
    let { refreshToken } = await signIn(app, alice);
    for (let round = 0; round < 5; round++) {
      const { status, body } = await refresh(refreshToken, round);
      expect(status).toBe(200);
      expect(body).toEqual({
        accessToken: expect.any(String),
        tokenType: 'Bearer',
        expiresInSeconds: 300,
        refreshToken: expect.any(String),
        secondFactors: [],
      });
      expect(body.refreshToken).not.toBe(refreshToken);
      expect(await me(body.accessToken)).toBe(200);
      ({ refreshToken } = body);
    }
  });

  it('replays a used token after the grace: 401, the whole session dies [A2-4] [ASVS 10.4.5]', async () => {
    const first = await signIn(app, alice);
    const second = (await refresh(first.refreshToken)).body;
    // With: notices.
    const before = (await notices()).length;
    app.clock.advance(11);
    expect(await me(second.accessToken)).toBe(200);
    expect((await refresh(first.refreshToken, 1)).status).toBe(401);
    expect((await refresh(second.refreshToken)).status).toBe(401);
    await expect.poll(() => me(second.accessToken), { timeout: 500 }).toBe(401);
    const { sid } = decode(first.token).payload;
    const event = await app.auditEvent('authn_token_reuse', ({ target_id }) => target_id === sid);
    expect(event).toMatchObject({ actor_id: alice.userId, outcome: 'denied' });
    expect(await app.sql('SELECT end_reason FROM sessions WHERE id = $1', [sid])).toEqual([
      { end_reason: 'refresh-token-reuse' },
    ]);
    // With: notices.
    expect(await notices()).toHaveLength(before + 1);
  });

  it('replays it once more: 401, but no second event and no second mail', async () => {
    const first = await signIn(app, alice);
    await refresh(first.refreshToken);
    app.clock.advance(11);
    await refresh(first.refreshToken);
    // With: notices.
    const before = (await notices()).length;
    expect((await refresh(first.refreshToken)).status).toBe(401);
    // With: notices.
    expect(await notices()).toHaveLength(before);
    const { sid } = decode(first.token).payload;
    expect(
      await app.sql(`SELECT id FROM audit_events WHERE action = 'authn_token_reuse' AND target_id = $1`, [sid]),
    ).toHaveLength(1);
  });

  it('replays a token two generations old within the grace: 401, the session dies [A2-4]', async () => {
    const { refreshToken } = await signIn(app, alice);
    const second = (await refresh(refreshToken)).body;
    const third = (await refresh(second.refreshToken)).body;
    expect((await refresh(refreshToken)).status).toBe(401);
    expect((await refresh(third.refreshToken)).status).toBe(401);
  });

  it('presents a token again within ten seconds: the same successor, no fork [A2-4]', async () => {
    const { refreshToken } = await signIn(app, alice);
    const first = (await refresh(refreshToken)).body;
    app.clock.advance(9);
    const again = await refresh(refreshToken, 1);
    expect(again.status).toBe(200);
    expect(again.body.refreshToken).toBe(first.refreshToken);
  });

  it('presents a used token when the clock has gone back: the session is over [A2-4]', async () => {
    const { token, refreshToken } = await signIn(app, alice);
    expect((await refresh(refreshToken)).status).toBe(200);
    app.clock.advance(-3_600);
    const replayed = await refresh(refreshToken);
    app.clock.advance(3_600);
    expect(replayed.status).toBe(401);
    const [row] = await app.sql('SELECT end_reason FROM sessions WHERE id = $1', [decode(token).payload['sid']]);
    expect(row).toEqual({ end_reason: 'refresh-token-reuse' });
  });

  it('presents one token 50 times in parallel on all instances: one successor, no error [A2-4]', async () => {
    const { refreshToken } = await signIn(app, alice);
    const answers = await Promise.all(Array.from({ length: 50 }, (_, index) => refresh(refreshToken, index)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(new Set(answers.map(({ body }) => body.refreshToken)).size).toBe(1);
    const { sid } = decode(answers[0]?.body.accessToken).payload;
    expect(await app.sql('SELECT refresh_counter FROM sessions WHERE id = $1', [sid])).toEqual([
      { refresh_counter: 1 },
    ]);
  });

  it('refreshes after logout: 401 [A2-4] [ASVS 7.4.1]', async () => {
    const { token, refreshToken } = await signIn(app, alice);
    expect((await app.request('POST', '/v1/auth/logout', { token })).status).toBe(204);
    expect((await refresh(refreshToken)).status).toBe(401);
  });

  it('changes a bit, the spelling or the key id: 401, the honest session lives [ASVS 10.4.5]', async () => {
    const { refreshToken } = await signIn(app, alice);
    const [keyId, body] = refreshToken.split('.') as [string, string];
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const respelled = body.slice(0, -1) + alphabet[alphabet.indexOf(body.at(-1)!) + 1];
    for (const forged of [
      `${keyId}.${flipBit(body)}`,
      `${keyId}.${respelled}`,
      `other.${body}`,
      `.${body}`,
      body,
      `${keyId}.`,
      `${keyId}.${body}A`,
      alice.token,
    ]) {
      expect((await refresh(forged)).status).toBe(401);
    }
    expect((await refresh(refreshToken)).status).toBe(200);
  });

  it('cannot be read out of the database: no column holds a token or its digest', async () => {
    const { refreshToken, token } = await signIn(app, alice);
    const rows = JSON.stringify(await app.sql('SELECT * FROM sessions WHERE id = $1', [decode(token).payload['sid']]));
    expect(rows).not.toContain(refreshToken.split('.')[1]);
    expect(rows).not.toContain(refreshToken.slice(-43));
  });

  it('sends a counter or a session of its own choice beside the token: 400 [A3-1] [ASVS 15.3.3]', async () => {
    const { refreshToken } = await signIn(app, alice);
    for (const extra of [{ counter: 0 }, { sessionId: alice.userId }, { userId: alice.userId }]) {
      expect((await app.request('POST', '/v1/auth/refresh', { body: { refreshToken, ...extra } })).status).toBe(400);
    }
  });

  it('is disabled within the grace: 401, and enabled again the session is still there', async () => {
    const { refreshToken } = await signIn(app, alice);
    const second = (await refresh(refreshToken)).body;
    await app.operate(`UPDATE users SET status = 'disabled' WHERE id = $1`, [alice.userId]);
    expect([(await refresh(refreshToken)).status, (await refresh(second.refreshToken)).status]).toEqual([401, 401]);
    await app.operate(`UPDATE users SET status = 'active' WHERE id = $1`, [alice.userId]);
    expect((await refresh(second.refreshToken)).status).toBe(200);
  });

  // The last ones move the clock by weeks: every earlier session is over then.
  it('is idle for seven days: 401, without the alarm of a theft [ASVS 7.3.1]', async () => {
    const { refreshToken, token } = await signIn(app, alice);
    app.clock.advance(7 * day + 1);
    expect((await refresh(refreshToken)).status).toBe(401);
    const { sid } = decode(token).payload;
    expect(
      await app.sql(`SELECT id FROM audit_events WHERE action = 'authn_token_reuse' AND target_id = $1`, [sid]),
    ).toEqual([]);
  });

  it('refreshes every six days for ever: refused after thirty [A2-4] [ASVS 7.3.2] [ASVS 10.4.8]', async () => {
    let { refreshToken } = await signIn(app, alice);
    for (let elapsed = 6; elapsed < 30; elapsed += 6) {
      app.clock.advance(6 * day);
      const { status, body } = await refresh(refreshToken);
      expect(status).toBe(200);
      ({ refreshToken } = body);
    }
    const newest = (await refresh(refreshToken)).body;
    app.clock.advance(6 * day);
    expect((await refresh(newest.refreshToken)).status).toBe(401);
    expect(await me(newest.accessToken)).toBe(401);
  });

  it('signs in after a session has run out: its row is gone', async () => {
    app.clock.advance(31 * day);
    await signIn(app, alice);
    expect(await app.sql('SELECT id FROM sessions WHERE user_id = $1', [alice.userId])).toHaveLength(1);
  });
});
