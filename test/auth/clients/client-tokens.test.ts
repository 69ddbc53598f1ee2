import { randomUUID, sign } from 'node:crypto';
import { decodeJwt, SignJWT } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { AccessTokens } from '../../../src/auth/authentication/access-tokens.js';
import { SigningKeys } from '../../../src/auth/signing-keys/signing-keys.js';
import { SigningKeyRotation } from '../../../src/auth/signing-keys/signing-key-rotation.js';
import { signIn, signUp, signUpAdministrator, type Actor } from '../../support/actors.js';
import { startApp, type TestApp } from '../../support/app.js';
import { createSample } from '../../support/sample/samples.js';
import { SamplesModule } from '../../support/sample/samples.module.js';
import { unlimited } from '../../support/unlimited.js';
import { issuerOf, newKey, nowSeconds, publicUrlOf, RegisteredClient } from './registered-client.js';

let app: TestApp;
let admin: Actor;
let alice: Actor;
let client: RegisteredClient;
let path: string;

beforeAll(async () => {
  unlimited();
  app = await startApp({ modules: [SamplesModule] });
  admin = await signUpAdministrator(app);
  alice = await signUp(app, 'alice');
  client = await RegisteredClient.create(app, admin, alice.userId);
  path = `/v1/samples/${(await createSample(app, alice)).id}`;
}, 60_000);
afterAll(() => app.close());

const read = async (token: string, on = 0, to = path) => (await app.on(on).request('GET', to, { token })).status;
const manage = async (method: string, action: string, body?: unknown) => {
  const { token } = await signIn(app, admin);
  const answer = await app.request(method, `/v1/clients/${action}`, { token, ...(body !== undefined && { body }) });
  expect(answer.status).toBeLessThan(300);
};
/** Signed by the service itself, as only a mistake in its code would. */
async function signedByService(claims: Readonly<Record<string, unknown>>, typ = 'at+jwt'): Promise<string> {
  const { id, privateKey } = app.on(0).service.app.get(SigningKeys, { strict: false }).active;
  for (;;) {
    const token = await new SignJWT(claims).setProtectedHeader({ alg: 'ES256', typ, kid: id }).sign(privateKey);
    // Half of the signatures have the spelling that is taken.
    if (Buffer.from(token.split('.')[2] ?? '', 'base64url').readUInt8(32) < 0x7f) return token;
  }
}
const claimsNow = (changes: Readonly<Record<string, unknown>> = {}) => ({
  iss: issuerOf(app), aud: publicUrlOf(app), sub: client.id, client_id: client.id, scope: 'sample:read',
  iat: nowSeconds(), exp: nowSeconds() + 300, jti: randomUUID(), version: 1, ...changes,
}); // prettier-ignore

describe('a client calls with its token [practice 2.2] [ASVS 10.3.2]', () => {
  it('reads what its owner has, and the log and the audit trail name both', async () => {
    const token = await client.token();
    expect(await read(token)).toBe(200);
    expect((await app.request('POST', '/v1/samples', { token, body: { title: 't', body: 'b' } })).status).toBe(403);
    const event = await app.auditEvent('authz_fail', (row) => row['machine_id'] === client.id);
    expect(event).toMatchObject({ actor_kind: 'machine', actor_id: alice.userId });
  });

  it('reaches what is not of its owner: 404; calls routes of people: 403, whatever its owner may [API5]', async () => {
    const bob = await signUp(app, 'bob');
    const token = await client.token();
    expect(await read(token, 0, `/v1/samples/${(await createSample(app, bob)).id}`)).toBe(404);
    const ofAdmin = await RegisteredClient.create(app, admin, admin.userId);
    for (const to of ['/v1/users/me', '/v1/clients', '/v1/users'])
      expect(await read(await ofAdmin.token(), 0, to)).toBe(403);
  });

  it('sends its token and the cookie of a person, or a second header: 400 [A2-8]', async () => {
    const token = await client.token();
    // With: browser.
    expect((await app.request('GET', path, { token, headers: { cookie: '__Host-refresh=a.b' } })).status).toBe(400);
    expect((await app.request('GET', `${path}?access_token=${token}`)).status).toBe(400);
  });
});

describe('tokens of clients and of people are never taken for each other [ASVS 9.2.2] [ASVS 10.3.1]', () => {
  it('gives a token the issuer of the other kind, signed by the service: 401 on either side', async () => {
    const person = decodeJwt(alice.token);
    expect(await read(await signedByService(claimsNow()))).toBe(200);
    expect(await read(await signedByService({ ...claimsNow(), ...person, iss: issuerOf(app) }))).toBe(401);
    expect(await read(await signedByService(claimsNow({ iss: publicUrlOf(app) })))).toBe(401);
    expect(await read(await signedByService({ ...person, ...claimsNow(), iss: publicUrlOf(app) }))).toBe(401);
    expect(await read(await signedByService(claimsNow({ iss: `${issuerOf(app)}/other` })))).toBe(401);
  });

  it('presents the token of a person in the scheme of clients: 401', async () => {
    const headers = { authorization: `DPoP ${alice.token}`, dpop: await client.proof({ path, token: alice.token }) };
    expect((await app.request('GET', path, { headers })).status).toBe(401);
  });

  it('puts a client into a session: no row of a session is asked for it', async () => {
    const tokens = app.on(0).service.app.get(AccessTokens, { strict: false });
    expect(tokens.sessionOf(await client.token())).toBeUndefined();
  });

  it.each([
    ['another audience', { aud: 'https://elsewhere.example' }],
    ['a list of audiences', { aud: ['https://elsewhere.example'] }],
    ['another subject', { sub: randomUUID() }],
    ['no expiry', { exp: undefined }],
    ['an expiry in the past', { iat: 1, exp: 2 }],
    ['a beginning in the future', { iat: nowSeconds() + 600, exp: nowSeconds() + 900 }],
    ['no scope', { scope: undefined }],
    ['no jti', { jti: undefined }],
    ['no version', { version: undefined }],
    ['a binding that nobody knows', { cnf: { jku: 'https://elsewhere.example' } }],
  ])('has %s: 401', async (_, changes) => expect(await read(await signedByService(claimsNow(changes)))).toBe(401));

  it('has another type, or a scope that the client is not registered for: 401, or no right', async () => {
    expect(await read(await signedByService(claimsNow(), 'jwt'))).toBe(401);
    const token = await signedByService(claimsNow({ scope: 'sample:read sample:create' }));
    expect((await app.request('POST', '/v1/samples', { token, body: { title: 't', body: 'b' } })).status).toBe(403);
  });

  it('is signed by nobody, or by the key of the client: 401', async () => {
    const [header = '', body = ''] = (await client.token()).split('.');
    const own = sign('sha256', Buffer.from(`${header}.${body}`), {
      key: client.key.privateKey,
      dsaEncoding: 'ieee-p1363',
    }).toString('base64url');
    expect(await read(`${header}.${body}.${own}`)).toBe(401);
  });
});

describe('a client loses access at once, on every instance [ASVS 7.4.1] [ASVS 8.3.2]', () => {
  it('is disabled: its token ends everywhere, it gets no other, and enabling brings none back', async () => {
    const token = await client.token();
    for (const on of [0, 1]) expect(await read(token, on)).toBe(200);
    await manage('POST', `${client.id}/disable`);
    for (const on of [0, 1]) expect(await read(token, on)).toBe(401);
    expect((await client.ask({ on: 1 })).body.error).toBe('invalid_client');
    await manage('POST', `${client.id}/enable`);
    for (const on of [0, 1]) expect(await read(token, on)).toBe(401);
    expect(await read(await client.token(), 1)).toBe(200);
  });

  it('gets other keys: tokens of the old ones end, and the old ones get none', async () => {
    const one = await RegisteredClient.create(app, admin, alice.userId);
    const token = await one.token();
    expect(await read(token)).toBe(200);
    await manage('PUT', `${one.id}/keys`, { key: newKey().jwk });
    expect(await read(token)).toBe(401);
    expect((await one.ask()).body.error).toBe('invalid_client');
  });

  it('is deleted: its token ends', async () => {
    const one = await RegisteredClient.create(app, admin, alice.userId);
    const token = await one.token();
    expect(await read(token)).toBe(200);
    await manage('DELETE', one.id);
    expect(await read(token)).toBe(401);
  });

  // With: administration.
  it('the owner is disabled: the client loses access too', async () => {
    const carol = await signUp(app, 'carol');
    const one = await RegisteredClient.create(app, admin, carol.userId);
    const token = await one.token();
    expect(await read(token, 0, '/v1/samples')).toBe(200);
    const { token: fresh } = await signIn(app, admin);
    const body = { status: 'disabled' };
    expect((await app.request('PATCH', `/v1/users/${carol.userId}/status`, { token: fresh, body })).status).toBe(200);
    for (const on of [0, 1]) expect(await read(token, on, '/v1/samples')).toBe(401);
    expect((await one.ask()).body.error).toBe('invalid_client');
  });

  it('the token expires: 401', async () => {
    const token = await client.token();
    app.clock.advance(301);
    expect(await read(token)).toBe(401);
    app.clock.advance(-301);
  });
});

describe('rows that somebody wrote past the service [ASVS 8.2.2]', () => {
  const changes: readonly (readonly [string, string])[] = [
    ['scopes', `scopes = '{sample:read,sample:create}'`],
    ['owner', 'owner_id = $2'],
    ['keys', `keys = replace(keys, '"x":"', '"x":"A')`],
    ['tier', `tier = 'high'`],
    ['version', 'version = version + 1'],
  ];

  it.each(changes)('writes other %s into the row: the client is nobody, and an alarm is raised', async (_, change) => {
    const one = await RegisteredClient.create(app, admin, alice.userId);
    const token = await one.token();
    await app.sql(
      `UPDATE clients SET ${change} WHERE id = $1`,
      change.includes('$2') ? [one.id, admin.userId] : [one.id],
    );
    app.clock.advance(3);
    expect(await read(token)).toBe(401);
    expect((await one.ask()).body.error).toBe('invalid_client');
    await app.auditEvent('crypt_decrypt_fail', (row) => row['target_id'] === one.id);
  });

  it('enables a client by SQL that was disabled: it stays out', async () => {
    const one = await RegisteredClient.create(app, admin, alice.userId);
    await manage('POST', `${one.id}/disable`);
    await app.sql(`UPDATE clients SET status = 'active' WHERE id = $1`, [one.id]);
    expect((await one.ask()).body.error).toBe('invalid_client');
  });

  it('plants a client with the seal of another one: nobody', async () => {
    const { id } = client;
    const planted = '01890000-0000-7000-8000-00000000c11e';
    await app.sql(
      `INSERT INTO clients SELECT $2, owner_id, name, keys, certificate, scopes, tier, requires_dpop, status, version,
         authority_mac FROM clients WHERE id = $1`,
      [id, planted],
    );
    const assertion = await client.assertion({ iss: planted, sub: planted });
    expect((await client.ask({ assertion })).body.error).toBe('invalid_client');
  });
});

describe('signing keys rotate without a lost request [practice 2.5] [ASVS 11.2.2]', () => {
  it('tokens of the old key count until it goes, new ones have the new key, and one that leaked ends all', async () => {
    const rotation = app.on(0).service.app.get(SigningKeyRotation, { strict: false });
    const before = await client.token();
    const { id } = await rotation.prepare();
    await rotation.promote(id);
    const after = await client.token();
    expect(JSON.parse(Buffer.from(after.split('.')[0] ?? '', 'base64url').toString())).toMatchObject({ kid: id });
    for (const token of [before, after]) for (const on of [0, 1]) expect(await read(token, on)).toBe(200);
    await rotation.replaceAll();
    for (const token of [before, after]) await vi.waitFor(async () => expect(await read(token)).toBe(401));
    expect(await read(await client.token())).toBe(200);
    alice = { ...alice, ...(await signIn(app, alice)) };
  });
});

describe('a token that is bound to a key [RFC 9449] [ASVS 10.3.5] [ASVS 10.4.14]', () => {
  let bound: string;
  beforeEach(async () => {
    bound = await client.boundToken();
  });
  const use = async (token: string, proof?: string, to = path) =>
    (await app.request('GET', to, { headers: { authorization: `DPoP ${token}`, ...(proof && { dpop: proof }) } }))
      .status;

  it('an honest client proves the key at each request', async () => {
    expect(decodeJwt(bound)).toMatchObject({ cnf: { jkt: await client.thumbprint() } });
    for (const _ of [1, 2]) expect(await use(bound, await client.proof({ path, token: bound }))).toBe(200);
    expect(await use(bound, await client.proof({ path: '/v1/samples', token: bound }), '/v1/samples?limit=5')).toBe(
      200,
    );
  });

  it('steals the token without the key: 401, with no proof and in the scheme of others', async () => {
    expect(await use(bound)).toBe(401);
    expect(await read(bound)).toBe(401);
  });

  it('proves another key, or a key for a token that is bound to none: 401', async () => {
    expect(await use(bound, await client.proof({ path, token: bound }, {}, newKey()))).toBe(401);
    const free = await client.token();
    expect(await use(free, await client.proof({ path, token: free }))).toBe(401);
  });

  it('replays a proof, at once or on another instance: 401', async () => {
    const headers = { authorization: `DPoP ${bound}`, dpop: await client.proof({ path, token: bound }) };
    const all = await Promise.all([0, 1, 0].map((on) => app.on(on).request('GET', path, { headers })));
    expect(all.map(({ status }) => status).toSorted()).toEqual([200, 401, 401]);
  });

  it.each([
    ['for another method', { htm: 'POST' }],
    ['for another path', { htu: 'https://localhost:8443/v1/samples' }],
    ['for another host', { htu: 'https://elsewhere.example/v1/samples' }],
    ['of an hour ago', { iat: nowSeconds() - 3600 }],
    ['of the hour to come', { iat: nowSeconds() + 3600 }],
    ['without a time', { iat: undefined }],
    ['without a jti', { jti: undefined }],
    ['for another token', { ath: 'x'.repeat(43) }],
    ['for no token', { ath: undefined }],
  ])('sends a proof %s: 401', async (_, claims) =>
    expect(await use(bound, await client.proof({ path, token: bound }, claims))).toBe(401),
  );

  it('sends two proofs, or one that is no proof by its type: 401', async () => {
    const proof = await client.proof({ path, token: bound });
    const two = { authorization: `DPoP ${bound}`, dpop: [proof, await client.proof({ path, token: bound })] };
    expect((await app.request('GET', path, { headers: two })).status).toBe(401);
    expect(await use(bound, await client.assertion())).toBe(401);
  });

  it('a client that has to bind its tokens gets none without a proof, and a proof counts once there too', async () => {
    const one = await RegisteredClient.create(app, admin, alice.userId, { requiresDpop: true });
    const { status, body } = await one.ask();
    expect([status, body.access_token]).toEqual([400, undefined]);
    const proof = await one.proof({ method: 'POST', path: '/oauth/token' });
    expect((await one.ask({ proof })).body.token_type).toBe('DPoP');
    expect((await one.ask({ proof })).status).toBe(400);
    expect((await one.ask({ proof: await one.proof({ method: 'POST', path: '/elsewhere' }) })).status).toBe(400);
  });
});
