import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { SigningKeyRepository } from '../../../src/auth/signing-keys/signing-key.repository.js';
import { SigningKeys } from '../../../src/auth/signing-keys/signing-keys.js';
import { SigningKeyRotation } from '../../../src/auth/signing-keys/signing-key-rotation.js';
import { Measures } from '../../../src/common/events/measures.js';
import { SharedState } from '../../../src/shared-state/index.js';
import { signUp } from '../../support/actors.js';
import { startApp, type TestApp } from '../../support/app.js';
import { attackersKey, decode, es256, publicUrl } from '../forge.js';

describe('signing keys (ASVS V9.1, V11.1)', () => {
  let app: TestApp;

  beforeAll(async () => {
    app = await startApp();
  });
  afterAll(() => app.close());

  it('another service verifies our token with the published keys alone', async () => {
    const alice = await signUp(app, 'alice');
    const { body } = await app.request('GET', '/.well-known/jwks.json');
    const { payload } = await jwtVerify(alice.token, createLocalJWKSet(body), {
      issuer: publicUrl(app),
      audience: publicUrl(app),
      typ: 'at+jwt',
      algorithms: ['ES256'],
      currentDate: app.clock.now(),
    });
    expect(payload.sub).toBe(alice.userId);
  });

  it('publishes public members only, the same on every instance', async () => {
    const sets = await Promise.all(
      app.instances.map(async (instance) => (await instance.request('GET', '/.well-known/jwks.json')).body),
    );
    expect(new Set(sets.map((set) => JSON.stringify(set))).size).toBe(1);
    expect(sets[0].keys).toHaveLength(1);
    expect(Object.keys(sets[0].keys[0]).toSorted()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']);
  });

  it('is made once, however many instances start, and lies sealed in the database [practice 7.1]', async () => {
    const rows = await app.sql<{ state: string; private_jwk: string }>('SELECT state, private_jwk FROM signing_keys');
    expect(rows.map(({ state }) => state)).toEqual(['active']);
    expect(rows[0]?.private_jwk).toMatch(/^enc:v1:/);
  });

  it('replaces the public key in the database: tokens signed with it are refused [ASVS 9.1.3]', async () => {
    const alice = await signUp(app, 'alice');
    const { privateKey, publicKey } = attackersKey();
    await app.sql('UPDATE signing_keys SET public_jwk = $1', [JSON.stringify(publicKey.export({ format: 'jwk' }))]);
    await app.restart();
    const { header, payload } = decode(alice.token);
    expect((await app.request('GET', '/v1/users/me', { token: es256(privateKey, header, payload) })).status).toBe(401);
    expect((await app.request('GET', '/v1/users/me', { token: alice.token })).status).toBe(200);
  });

  // Takes the keys away under the running service, so it comes last.
  it('starts several instances at the same time on an empty table: one key, and all use it [ASVS 15.4.2]', async () => {
    await app.sql('DELETE FROM signing_keys');
    const all = Array.from({ length: 4 }, (_, index) => {
      const { app: nest } = app.on(index).service;
      const [repository, rotation] = [
        nest.get(SigningKeyRepository, { strict: false }),
        nest.get(SigningKeyRotation, { strict: false }),
      ];
      return new SigningKeys(repository, rotation, app.clock, nest.get(SharedState, { strict: false }), new Measures());
    });
    await Promise.all(all.map((keys) => keys.reload()));
    expect(new Set(all.map((keys) => keys.active.id)).size).toBe(1);
    expect(await app.sql('SELECT id FROM signing_keys')).toEqual([{ id: all[0]?.active.id }]);
    // They hear of each other's key, and would look at the database of the next file.
    await Promise.all(all.map((keys) => keys.onApplicationShutdown()));
  });
});
