import { randomUUIDv7 } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { signUp, signUpAdministrator, type Actor } from '../../support/actors.js';
import { startApp, type TestApp } from '../../support/app.js';
import { SamplesModule } from '../../support/sample/samples.module.js';
import { unlimited } from '../../support/unlimited.js';
import { callWith, formatOf, makeKey, succeed, type MadeKey } from './keys.js';

// Somebody who can write to every table, and has an account and a key, but not the key ring.
describe('whoever writes to the database makes no key, and changes none [A5-5] [ASVS 11.3.3]', () => {
  let app: TestApp;
  let victim: Actor;
  let mallory: Actor;
  let own: MadeKey;

  beforeAll(async () => {
    unlimited();
    app = await startApp({ modules: [SamplesModule] });
  });
  beforeEach(async () => {
    [victim, mallory] = [await signUpAdministrator(app, 'victim'), await signUp(app, 'mallory')];
    own = await makeKey(app, mallory, { addressRanges: ['127.0.0.0/8'] });
    expect(await callWith(app, own.key)).toBe(200);
  });
  afterAll(() => app.close());

  /** Past the micro-cache: what the database says now. */
  const later = () => app.clock.advance(3);
  const alarmAbout = (id: string) =>
    app.auditEvent('crypt_decrypt_fail', (row) => row['target_type'] === 'ApiKey' && row['target_id'] === id);

  it.each([
    ['the victim its owner', 'user_id = $2'],
    ['more of its scopes', `scopes = scopes || '{sample:create}'`],
    ['it count for ever', `expires_at = expires_at + interval '10 years'`],
    ['it count from everywhere', `address_ranges = '{}'`],
    ['it count from elsewhere', `address_ranges = '{203.0.113.0/24}'`],
    ['it ask for more', `tier = 'high'`],
    ['it a key of a service', `service = 'Analyser'`],
    ['its seal that of nobody', `authority_mac = 'api-key-00000000.AAAA'`],
    ['it a row without a seal', 'authority_mac = NULL'],
  ])('makes %s: 401, an alarm', async (_, change) => {
    const values = change.includes('$2') ? [own.id, victim.userId] : [own.id];
    await app.sql(`UPDATE api_keys SET ${change} WHERE id = $1`, values);
    later();
    expect(await callWith(app, own.key)).toBe(401);
    await alarmAbout(own.id);
  });

  it('makes itself a successor of the row that it has changed: 404, the service seals nothing of it', async () => {
    await app.sql(`UPDATE api_keys SET scopes = '{sample:read,sample:create}' WHERE id = $1`, [own.id]);
    expect((await succeed(app, mallory, own.id)).status).toBe(404);
    await alarmAbout(own.id);
    expect(await app.sql('SELECT id FROM api_keys WHERE user_id = $1', [mallory.userId])).toHaveLength(1);
  });

  it.each([
    ['of the victim, with everything of its own key but the owner', () => victim],
    ['of its own under another id, to have a key that nobody revokes', () => mallory],
  ])('plants a row %s: 401, an alarm', async (_, owner) => {
    const id = randomUUIDv7();
    await app.sql(
      `INSERT INTO api_keys (id, user_id, name, scopes, address_ranges, tier, secret_mac, authority_mac, expires_at)
       SELECT $2, $3, name, scopes, address_ranges, tier, secret_mac, authority_mac, expires_at
       FROM api_keys WHERE id = $1`,
      [own.id, id, owner().userId],
    );
    const { secret } = formatOf(app).read(own.key) ?? { secret: '' };
    expect(await callWith(app, formatOf(app).write({ id, secret }))).toBe(401);
    await alarmAbout(id);
  });

  it("copies its secret's MAC into the key of the victim: 401 for both", async () => {
    const theirs = await makeKey(app, victim);
    await app.sql('UPDATE api_keys SET secret_mac = (SELECT secret_mac FROM api_keys WHERE id = $2) WHERE id = $1', [
      theirs.id,
      own.id,
    ]);
    const { secret } = formatOf(app).read(own.key) ?? { secret: '' };
    expect(await callWith(app, formatOf(app).write({ id: theirs.id, secret }))).toBe(401);
    expect(await callWith(app, theirs.key)).toBe(401);
    await alarmAbout(theirs.id);
  });

  it('brings a revoked key back: 401, its seal is gone', async () => {
    expect((await app.request('DELETE', `/v1/api-keys/${own.id}`, { token: mallory.token })).status).toBe(204);
    await app.sql('UPDATE api_keys SET revoked_at = NULL WHERE id = $1', [own.id]);
    later();
    expect(await callWith(app, own.key)).toBe(401);
    await alarmAbout(own.id);
  });

  it('makes the owner an administrator: the key of an account that was changed is dead', async () => {
    await app.sql(`UPDATE users SET roles = '{user,admin}' WHERE id = $1`, [mallory.userId]);
    later();
    expect(await callWith(app, own.key)).toBe(401);
  });

  it('what rests on nothing may change: the name, when it was used, that its owner was told', async () => {
    await app.sql(`UPDATE api_keys SET name = 'x', last_used_at = now(), warned_at = now() WHERE id = $1`, [own.id]);
    later();
    expect(await callWith(app, own.key)).toBe(200);
  });
});
