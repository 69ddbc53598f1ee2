import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { ApiKeyRepository } from '../../../src/auth/api-keys/api-key.repository.js';
import { signIn, signUp, type Actor } from '../../support/actors.js';
import { startApp, type TestApp } from '../../support/app.js';
import { SamplesModule } from '../../support/sample/samples.module.js';
import { unlimited } from '../../support/unlimited.js';
import { callWith, formatOf, makeKey, refusal, succeed, type MadeKey } from './keys.js';

describe('whoever calls with what is no good key [practice 2.2] [ASVS 13.2.1]', () => {
  let app: TestApp;
  let alice: Actor;
  let mallory: Actor;
  let made: MadeKey;

  beforeAll(async () => {
    unlimited();
    app = await startApp({ modules: [SamplesModule], env: { TRUSTED_PROXIES: '127.0.0.1' } });
  });
  beforeEach(async () => {
    [alice, mallory] = [await signUp(app, 'alice'), await signUp(app, 'mallory')];
    made = await makeKey(app, alice);
  });
  afterEach(() => vi.restoreAllMocks());
  afterAll(() => app.close());

  const changed = (key: string, at: number) => `${key.slice(0, at)}${key[at] === 'a' ? 'b' : 'a'}${key.slice(at + 1)}`;

  it('changes any letter of a key: 401 by the checksum, without one query [A2-8]', async () => {
    const look = vi.spyOn(ApiKeyRepository.prototype, 'findState');
    const { prefix } = formatOf(app);
    for (let at = prefix.length; at < made.key.length; at += 5)
      expect([at, await callWith(app, changed(made.key, at))]).toEqual([at, 401]);
    for (const text of [made.key.slice(0, -1), `${made.key}A`, made.key.toUpperCase(), prefix])
      expect([text, await callWith(app, text)]).toEqual([text, 401]);
    expect(look).not.toHaveBeenCalled();
    await refusal(app, 'malformed');
    expect(await callWith(app, made.key)).toBe(200);
    expect(look).toHaveBeenCalledTimes(1);
  });

  it('calls with the id of one key and the secret of another, with the right checksum: 401 [A2-8]', async () => {
    const own = await makeKey(app, mallory);
    expect(await callWith(app, made.key)).toBe(200);
    const { secret } = formatOf(app).read(own.key) ?? { secret: '' };
    expect(await callWith(app, formatOf(app).write({ id: made.id, secret }))).toBe(401);
    await refusal(app, 'unknown');
  });

  it('makes a whole key up, of a key that is there, or of none: 401', async () => {
    expect(await callWith(app, formatOf(app).create(made.id).key)).toBe(401);
    expect(await callWith(app, formatOf(app).create('01890000-0000-7000-8000-000000000001').key)).toBe(401);
  });

  it('the key has run out: 401 from that moment on', async () => {
    const brief = await makeKey(app, alice, { expiresInDays: 1 });
    expect(await callWith(app, brief.key)).toBe(200);
    app.clock.advance(24 * 3600);
    expect(await callWith(app, brief.key)).toBe(401);
    await refusal(app, 'expired');
    app.clock.advance(-24 * 3600);
  });

  it('is revoked: 401 with the next request, its owner is mailed, then 404 [ASVS 7.4.1]', async () => {
    expect(await callWith(app, made.key)).toBe(200);
    const revoke = () => app.request('DELETE', `/v1/api-keys/${made.id}`, { token: alice.token });
    expect((await revoke()).status).toBe(204);
    expect(await callWith(app, made.key)).toBe(401);
    await refusal(app, 'revoked');
    // With: notices.
    expect((await app.mailTo(alice.email, 'was revoked')).text).toContain('no longer opens anything');
    expect((await revoke()).status).toBe(404);
  });

  it('the key of somebody else: neither listed, nor revoked, nor followed: 404, and it goes on [API1]', async () => {
    const { body } = await app.request('GET', '/v1/api-keys', { token: mallory.token });
    expect(body).toEqual({ items: [] });
    expect((await app.request('DELETE', `/v1/api-keys/${made.id}`, { token: mallory.token })).status).toBe(404);
    expect((await succeed(app, mallory, made.id)).status).toBe(404);
    expect(await callWith(app, made.key)).toBe(200);
  });

  it('the owner is disabled: out with the next request; deleted: the row is gone [ASVS 7.4.2]', async () => {
    expect(await callWith(app, made.key)).toBe(200);
    await app.operate(`UPDATE users SET status = 'disabled' WHERE id = $1`, [alice.userId]);
    app.clock.advance(3);
    expect(await callWith(app, made.key)).toBe(401);
    const other = await makeKey(app, mallory);
    expect(await callWith(app, other.key)).toBe(200);
    expect((await app.request('DELETE', '/v1/users/me', { token: mallory.token })).status).toBe(204);
    expect(await callWith(app, other.key)).toBe(401);
    expect(await app.sql('SELECT id FROM api_keys WHERE user_id = $1', [mallory.userId])).toEqual([]);
  });

  it('calls routes for people, such as that for new keys: 403, no key [A5-4] [ASVS 8.2.1] [ASVS 7.2.2]', async () => {
    const body = { name: 'another', scopes: ['sample:read'], expiresInDays: 1 };
    for (const [method, path] of [
      ['GET', '/v1/users/me'],
      ['GET', '/v1/api-keys'],
      ['POST', '/v1/api-keys'],
      ['POST', `/v1/api-keys/${made.id}/successor`],
      ['DELETE', `/v1/api-keys/${made.id}`],
      ['GET', '/v1/service-keys'],
    ] as const) {
      const parts = { token: made.key, ...(method === 'POST' && { body }) };
      expect([path, (await app.request(method, path, parts)).status]).toEqual([path, 403]);
    }
    expect(await app.sql('SELECT id FROM api_keys WHERE user_id = $1', [alice.userId])).toHaveLength(1);
  });

  it('sends two credentials: 400, in whatever order [A2-8]', async () => {
    const both = (headers: Record<string, string | string[]>, path = '/v1/samples') =>
      app.request('GET', path, { headers });
    const [key, person] = [`Bearer ${made.key}`, `Bearer ${alice.token}`];
    expect((await both({ Authorization: [key, person] })).status).toBe(400);
    expect((await both({ Authorization: [person, key] })).status).toBe(400);
    expect((await both({ authorization: `${key}, ${person}` })).status).toBe(401);
    // With: browser.
    expect((await both({ authorization: key, cookie: '__Host-refresh=a.b' })).status).toBe(400);
    expect((await both({ authorization: key }, `/v1/samples?access_token=${alice.token}`)).status).toBe(400);
  });

  it('sends a key anywhere but in Authorization: Bearer: it is no credential there', async () => {
    const basic = Buffer.from(`${made.key}:`).toString('base64');
    const elsewhere: readonly Record<string, string>[] = [
      { 'x-api-key': made.key },
      { authorization: `Basic ${basic}` },
      { authorization: made.key },
      { authorization: `ApiKey ${made.key}` },
      { cookie: `api_key=${made.key}` },
    ];
    for (const headers of elsewhere)
      expect([headers, (await app.request('GET', '/v1/samples', { headers })).status]).toEqual([headers, 401]);
    const headers = { authorization: `bearer ${made.key}` };
    expect((await app.request('GET', '/v1/samples', { headers })).status).toBe(200);
  });

  it.each([
    ['198.51.100.7', ['198.51.100.0/24'], 200],
    ['198.51.101.7', ['198.51.100.0/24'], 401],
    ['198.51.101.7', ['198.51.100.0/24', '198.51.101.7'], 200],
    ['2001:db8::7', ['2001:db8::/32'], 200],
    ['2001:db9::7', ['2001:db8::/32'], 401],
    ['::ffff:198.51.100.7', ['198.51.100.0/24'], 200],
    ['::ffff:198.51.101.7', ['198.51.100.0/24'], 401],
  ])('calls from %s with a key for %s: %i', async (address, addressRanges, status) => {
    const { key } = await makeKey(app, alice, { addressRanges });
    const headers = { 'x-forwarded-for': address };
    expect(await callWith(app, key, '/v1/samples', { from: '127.0.0.1', headers })).toBe(status);
    if (status === 401) await refusal(app, 'network');
  });

  it('says that it comes from the range, past the proxy: 401, only a proxy is believed [A4-6]', async () => {
    const { key } = await makeKey(app, alice, { addressRanges: ['198.51.100.0/24'] });
    const headers = { 'x-forwarded-for': '198.51.100.7' };
    expect(await callWith(app, key, '/v1/samples', { from: '127.0.9.9', headers })).toBe(401);
  });
});

describe('a key and its successor [practice 2.2] [ASVS 13.3.4]', () => {
  let app: TestApp;
  let alice: Actor;
  let made: MadeKey;

  beforeAll(async () => {
    unlimited();
    app = await startApp({ modules: [SamplesModule] });
  });
  beforeEach(async () => {
    alice = await signUp(app, 'alice');
    made = await makeKey(app, alice);
  });
  afterAll(() => app.close());

  it('both count for the overlap, then the old one ends by itself', async () => {
    const { status, body } = await succeed(app, alice, made.id, 2);
    expect(status).toBe(201);
    expect(await Promise.all([made.key, body.key].map((key) => callWith(app, key)))).toEqual([200, 200]);
    app.clock.advance(2 * 3600);
    expect(await Promise.all([made.key, body.key].map((key) => callWith(app, key)))).toEqual([401, 200]);
    app.clock.advance(-2 * 3600);
  });

  it('without an overlap the old one ends at once, also where it is remembered', async () => {
    expect(await callWith(app, made.key)).toBe(200);
    expect((await succeed(app, alice, made.id, 0)).status).toBe(201);
    expect(await callWith(app, made.key)).toBe(401);
  });

  it('an overlap never makes the old key live longer than it would have', async () => {
    const brief = await makeKey(app, alice, { expiresInDays: 1 });
    expect((await succeed(app, alice, brief.id, 168)).status).toBe(201);
    const [row] = await app.sql<{ expires_at: Date }>('SELECT expires_at FROM api_keys WHERE id = $1', [brief.id]);
    expect(row?.expires_at.toISOString()).toBe(brief.expiresAt);
  });

  it('asks for two successors at once: one is made, the other is 409', async () => {
    const answers = await Promise.all([succeed(app, alice, made.id), succeed(app, alice, made.id)]);
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 409]);
    expect(await app.sql('SELECT id FROM api_keys WHERE user_id = $1', [alice.userId])).toHaveLength(2);
  });

  it('a successor of a key that is revoked or has run out: 404, nothing lives again', async () => {
    expect((await app.request('DELETE', `/v1/api-keys/${made.id}`, { token: alice.token })).status).toBe(204);
    expect((await succeed(app, alice, made.id)).status).toBe(404);
    const brief = await makeKey(app, alice, { expiresInDays: 1 });
    app.clock.advance(24 * 3600);
    const { token } = await signIn(app, alice);
    expect((await succeed(app, { token }, brief.id)).status).toBe(404);
    app.clock.advance(-24 * 3600);
  });

  it('asks in a session whose sign-in is old: 401 [A2-8] [ASVS 7.5.1]', async () => {
    await app.operate(`UPDATE sessions SET authenticated_at = now() - interval '6 minutes' WHERE user_id = $1`, [
      alice.userId,
    ]);
    app.clock.advance(3);
    expect((await succeed(app, alice, made.id)).body.type).toBe('/problems/step-up-required');
  });
});
