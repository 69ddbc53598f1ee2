import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signUp, type Actor } from '../../../support/actors.js';
import { startApp, type TestApp } from '../../../support/app.js';
import type { Authenticator } from '../../../support/authenticator.js';
import { neverIssued } from '../../../support/http.js';
import { device, passkeys, refusal, refusalOf, register, rowOf, trySignIn } from './ceremonies.js';

let app: TestApp;
let alice: Actor;
let mallory: Actor;
let laptop: Authenticator;
let passkeyId: string;

beforeAll(async () => {
  app = await startApp();
  [alice, mallory] = await Promise.all([signUp(app, 'alice'), signUp(app, 'mallory')]);
  ({ authenticator: laptop, id: passkeyId } = await register(app, alice));
});
afterAll(() => app.close());

describe('the passkeys of a person [ASVS 6.5.6]', () => {
  it('are listed by name and last use, without key, counter and credential id', async () => {
    const { status, body, text } = await app.request('GET', passkeys, { token: alice.token });
    expect([status, body.items]).toEqual([
      200,
      [{ id: passkeyId, name: 'Blue laptop', backedUp: false, lastUsedAt: null, createdAt: expect.any(String) }],
    ]);
    expect(text).not.toContain(laptop.id);
    expect((await app.request('GET', passkeys, { token: mallory.token })).body.items).toEqual([]);
  });

  it('are renamed, and the trail has the id, not the name', async () => {
    const { status, body } = await app.request('PATCH', `${passkeys}/${passkeyId}`, {
      token: alice.token,
      body: { name: 'Red canary laptop' },
    });
    expect([status, body.name]).toEqual([200, 'Red canary laptop']);
    const event = await app.auditEvent('user_updated', ({ target_id }) => target_id === passkeyId);
    expect(JSON.stringify(event)).not.toContain('canary');
    expect((await rowOf(app, passkeyId))?.['name']).toMatch(/^enc:v1:/);
  });

  it('are part of the export, without keys [practice 7.4]', async () => {
    const { body } = await app.request('GET', '/v1/users/me/export', { token: alice.token });
    expect(body.passkeys).toEqual([expect.objectContaining({ id: passkeyId, name: expect.any(String) })]);
    expect(JSON.stringify(body.passkeys)).not.toContain(laptop.id);
  });

  it.each(['PATCH', 'DELETE'])(
    "%s of another person's passkey by its id: the 404 of no such id [A1-7] [ASVS 8.2.2]",
    async (method) => {
      const parts = { token: mallory.token, ...(method === 'PATCH' ? { body: { name: 'mine' } } : {}) };
      const foreign = await app.request(method, `${passkeys}/${passkeyId}`, parts);
      const never = await app.request(method, `${passkeys}/${neverIssued}`, parts);
      expect([foreign.status, never.status]).toEqual([404, 404]);
      expect({ ...foreign.body, requestId: '' }).toEqual({ ...never.body, requestId: '' });
      expect((await trySignIn(app, laptop)).status).toBe(200);
    },
  );

  it('a lost one is deleted: it signs nobody in, other sessions end [ASVS 6.5.6] [ASVS 7.4.3]', async () => {
    const bob = await signUp(app, 'bob');
    const { authenticator, id } = await register(app, bob, device(app));
    const { body: thief } = await trySignIn(app, authenticator);
    expect((await app.request('DELETE', `${passkeys}/${id}`, { token: bob.token })).status).toBe(204);
    expect(await rowOf(app, id)).toBeUndefined();
    expect(refusalOf(await trySignIn(app, authenticator))).toEqual(refusal);
    expect((await app.request('GET', '/v1/users/me', { token: thief.accessToken })).status).toBe(401);
    const event = await app.auditEvent('authn_factor_removed', ({ target_id }) => target_id === bob.userId);
    expect(event).toMatchObject({ outcome: 'success', details: { factor: 'passkey', passkeyId: id } });
    expect(
      (await app.request('POST', '/v1/auth/login', { body: { email: bob.email, password: bob.password } })).body
        .secondFactors,
    ).toEqual([]);
  });

  it('somebody signs in by a passkey while it is deleted: no session [ASVS 6.5.6] [ASVS 7.4.3]', async () => {
    const carol = await signUp(app, 'carol');
    for (let round = 0; round < 5; round++) {
      const { authenticator, id } = await register(app, carol);
      const [deleted] = await Promise.all([
        app.request('DELETE', `${passkeys}/${id}`, { token: carol.token }),
        ...Array.from({ length: 4 }, () => trySignIn(app, authenticator)),
      ]);
      expect(deleted.status).toBe(204);
      expect(
        await app.sql(`SELECT id FROM sessions WHERE user_id = $1 AND 'user' = ANY(methods) AND ended_at IS NULL`, [
          carol.userId,
        ]),
      ).toEqual([]);
    }
  });

  it('deleting one with a session that did not prove itself lately: 401, and it still works [ASVS 7.5.1]', async () => {
    await app.operate(`UPDATE sessions SET authenticated_at = now() - interval '6 minutes' WHERE user_id = $1`, [
      alice.userId,
    ]);
    await app.restart();
    const { status, body } = await app.request('DELETE', `${passkeys}/${passkeyId}`, { token: alice.token });
    expect([status, body.type]).toEqual([401, '/problems/step-up-required']);
    expect((await trySignIn(app, laptop)).status).toBe(200);
  });
});

describe('somebody writes to the table past the service [ASVS 6.7.1] [practice 7.3]', () => {
  const column = async (id: string, name: string) => (await rowOf(app, id))?.[name] as string;
  let victim: Actor;
  let key: string;
  let attackers: Authenticator;
  let attackersKey: string;

  beforeAll(async () => {
    victim = await signUp(app, 'victim');
    ({ id: key } = await register(app, victim));
    ({ authenticator: attackers, id: attackersKey } = await register(app, { token: await trySignInToken(mallory) }));
    // The constraint stops the crudest attacks by itself; here the attacker has removed it.
    await app.sql('ALTER TABLE passkeys DROP CONSTRAINT passkeys_public_key_check');
  });

  const trySignInToken = async ({ email, password }: Actor) =>
    (await app.request('POST', '/v1/auth/login', { body: { email, password } })).body.accessToken as string;
  const handle = () => Buffer.from(victim.userId.replaceAll('-', ''), 'hex').toString('base64url');
  const sessions = async () => (await app.sql('SELECT id FROM sessions WHERE user_id = $1', [victim.userId])).length;

  /** Signs with the attacker's device for the victim's account, while the row says what the attack has made of it. */
  async function attack(statement: string, values: unknown[]): Promise<number> {
    const before = [await rowOf(app, key), await rowOf(app, attackersKey)];
    await app.sql(statement, values);
    const sessionsBefore = await sessions();
    const { status } = await trySignIn(app, attackers, { userHandle: handle() });
    expect(await sessions()).toBe(sessionsBefore);
    await app.sql('DELETE FROM passkeys WHERE id = ANY($1)', [[key, attackersKey]]);
    for (const row of before) {
      await app.sql(`INSERT INTO passkeys SELECT * FROM jsonb_populate_record(NULL::passkeys, $1)`, [
        JSON.stringify(row),
      ]);
    }
    return status;
  }

  it('plants a plain key: 500, no session, an alert', async () => {
    expect(
      await attack(`UPDATE passkeys SET public_key = 'pQECAyYgASFYIA', user_id = $2 WHERE id = $1`, [
        attackersKey,
        victim.userId,
      ]),
    ).toBe(500);
    await app.auditEvent('crypt_decrypt_fail', ({ target_id }) => target_id === attackersKey);
  });

  it('gives the own passkey to the victim: 500, it was sealed for somebody else', async () =>
    expect(await attack('UPDATE passkeys SET user_id = $2 WHERE id = $1', [attackersKey, victim.userId])).toBe(500));

  it("copies the own sealed key into the victim's passkey: 500, it was sealed for another row", async () => {
    const cell = await column(attackersKey, 'public_key');
    await app.sql('DELETE FROM passkeys WHERE id = $1', [attackersKey]);
    await app.sql('UPDATE passkeys SET public_key = $2, credential_id = $3 WHERE id = $1', [key, cell, attackers.id]);
    expect((await trySignIn(app, attackers, { userHandle: handle() })).status).toBe(500);
  });
});
