import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { signUp, signUpAdministrator, type Actor } from '../../support/actors.js';
import { startApp, type TestApp } from '../../support/app.js';
import { SamplesModule } from '../../support/sample/samples.module.js';
import { meanwhile } from '../../support/meanwhile.js';
import { unlimited } from '../../support/unlimited.js';
import { askForKey, callWith, makeKey, makeServiceKey, succeed, type MadeKey } from './keys.js';

const path = '/v1/service-keys';

describe('keys that administrators make for services [practice 2.2] [A5-4]', () => {
  let app: TestApp;
  let boss: Actor;
  let other: Actor;
  let alice: Actor;
  let made: MadeKey;

  beforeAll(async () => {
    unlimited();
    app = await startApp({ modules: [SamplesModule] });
  });
  beforeEach(async () => {
    boss = await signUpAdministrator(app, 'boss');
    other = await signUpAdministrator(app, 'other');
    alice = await signUp(app, 'alice');
    made = await makeServiceKey(app, boss, { service: 'Analyser', tier: 'high' });
  });
  afterEach(() => vi.restoreAllMocks());
  afterAll(() => app.close());

  it('an honest service calls, within the limit of its tier [ASVS 2.4.1]', async () => {
    const high = await app.request('GET', '/v1/samples', { token: made.key });
    expect(high.status).toBe(200);
    // With: rate-limiting.
    expect(high.headers['ratelimit-policy']).toContain('"machine-high"');
    const { key } = await makeServiceKey(app, boss);
    const standard = await app.request('GET', '/v1/samples', { token: key });
    expect(standard.status).toBe(200);
    // With: rate-limiting.
    expect(standard.headers['ratelimit-policy']).toContain('"machine-standard"');
  });

  it('every administrator sees whose service it is and who answers for it; nobody reads the key', async () => {
    const { body, text } = await app.request('GET', path, { token: other.token });
    expect(body.items).toContainEqual(
      expect.objectContaining({ id: made.id, service: 'Analyser', userId: boss.userId, tier: 'high' }),
    );
    expect(text).not.toContain(made.key.slice(-49));
  });

  it('who is no administrator makes, sees, revokes or follows one: 403 [ASVS 8.2.1]', async () => {
    expect((await askForKey(app, alice, { service: 'Analyser' }, path)).status).toBe(403);
    expect((await app.request('GET', path, { token: alice.token })).status).toBe(403);
    expect((await app.request('DELETE', `${path}/${made.id}`, { token: alice.token })).status).toBe(403);
    expect((await succeed(app, alice, made.id, 1, path)).status).toBe(403);
    expect(await callWith(app, made.key)).toBe(200);
  });

  it("reaches a service's key by the routes of own keys, or the other way round: 404 [API1]", async () => {
    const own = await makeKey(app, alice);
    expect((await app.request('DELETE', `/v1/api-keys/${made.id}`, { token: boss.token })).status).toBe(404);
    expect((await succeed(app, boss, made.id)).status).toBe(404);
    expect((await app.request('DELETE', `${path}/${own.id}`, { token: boss.token })).status).toBe(404);
    expect((await succeed(app, boss, own.id, 1, path)).status).toBe(404);
    expect((await app.request('GET', '/v1/api-keys', { token: boss.token })).body).toEqual({ items: [] });
    expect(await Promise.all([own.key, made.key].map((key) => callWith(app, key)))).toEqual([200, 200]);
  });

  it('another administrator revokes it: 401 at once, and whoever answered for it is mailed', async () => {
    expect(await callWith(app, made.key)).toBe(200);
    expect((await app.request('DELETE', `${path}/${made.id}`, { token: other.token })).status).toBe(204);
    expect(await callWith(app, made.key)).toBe(401);
    // With: notices.
    await app.mailTo(boss.email, 'was revoked');
    const event = await app.auditEvent('api_key_revoked', (row) => row['target_id'] === boss.userId);
    expect(event).toMatchObject({ actor_id: other.userId, details: { reason: 'administrator' } });
  });

  it('whoever answered for it is no administrator any more: 401, though the key asks for what users may', async () => {
    expect(await callWith(app, made.key)).toBe(200);
    const body = { roles: ['user'] };
    const demoted = await app.request('PATCH', `/v1/users/${boss.userId}/roles`, { token: other.token, body });
    expect(demoted.status).toBe(200);
    expect(await callWith(app, made.key)).toBe(401);
  });

  it('another administrator takes it over by its successor: from then on what they may bounds it', async () => {
    const { status, body } = await succeed(app, other, made.id, 1, path);
    expect(status).toBe(201);
    expect(body).toMatchObject({ userId: other.userId, service: 'Analyser', tier: 'high' });
    await app.operate(`UPDATE users SET status = 'disabled' WHERE id = $1`, [boss.userId]);
    app.clock.advance(3);
    expect(await Promise.all([made.key, body.key].map((key) => callWith(app, key)))).toEqual([401, 200]);
  });

  it('asks in a session whose sign-in is old: 401 [A2-8] [ASVS 7.5.1]', async () => {
    await app.operate(`UPDATE sessions SET authenticated_at = now() - interval '6 minutes' WHERE user_id = $1`, [
      boss.userId,
    ]);
    app.clock.advance(3);
    for (const answer of [
      await askForKey(app, boss, { service: 'Analyser' }, path),
      await succeed(app, boss, made.id, 1, path),
    ])
      expect(answer.body.type).toBe('/problems/step-up-required');
  });

  it('is demoted, or signed out, after the guards let the request in: 403, 401, no key [ASVS 8.3.2]', async () => {
    meanwhile(app, () => app.operate(`UPDATE users SET roles = '{user}' WHERE id = $1`, [boss.userId]));
    expect((await askForKey(app, boss, { service: 'Analyser' }, path)).status).toBe(403);
    meanwhile(app, () => app.request('POST', '/v1/auth/logout', { token: other.token }));
    expect((await askForKey(app, other, { service: 'Analyser' }, path)).status).toBe(401);
    expect(await app.sql('SELECT id FROM api_keys WHERE user_id = $1', [other.userId])).toEqual([]);
  });

  it.each([
    ['of no service', {}],
    ['of a service without a name', { service: '' }],
    ['of a tier that nobody knows', { service: 'Analyser', tier: 'endless' }],
  ])('asks for a key %s: 422', async (_, wishes) => {
    expect((await askForKey(app, boss, wishes, path)).status).toBe(422);
  });
});
