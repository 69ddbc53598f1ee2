import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signIn, signUp, signUpAdministrator, type Actor } from '../../support/actors.js';
import { startApp, type TestApp } from '../../support/app.js';
import { neverIssued } from '../../support/http.js';
import { SamplesModule } from '../../support/sample/samples.module.js';
import { unlimited } from '../../support/unlimited.js';
import { newKey } from './registered-client.js';

let app: TestApp;
let admin: Actor;
let alice: Actor;

beforeAll(async () => {
  unlimited();
  app = await startApp({ modules: [SamplesModule] });
  admin = await signUpAdministrator(app);
  alice = await signUp(app, 'alice');
}, 60_000);
afterAll(() => app.close());

const body = (changes: Record<string, unknown> = {}) => ({
  name: 'Analyser',
  ownerId: alice.userId,
  scopes: ['sample:read'],
  key: newKey('one').jwk,
  ...changes,
});
const create = async (changes: Record<string, unknown> = {}, actor: Actor = admin) =>
  app.request('POST', '/v1/clients', { token: (await signIn(app, actor)).token, body: body(changes) });
const stored = async (name: string) => app.sql('SELECT id FROM clients WHERE name = $1', [name]);
const { publicKey: p384 } = generateKeyPairSync('ec', { namedCurve: 'P-384' });
const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const rsa = (modulusLength: number, publicExponent = 65537) =>
  generateKeyPairSync('rsa', { modulusLength, publicExponent }).publicKey;
const jwkOf = (key: KeyObject): Record<string, string> => ({
  ...(key.export({ format: 'jwk' }) as Record<string, string>),
  kid: 'k',
});

describe('administrators register clients [practice 2.2] [ASVS 13.2.1]', () => {
  it('registers, finds and lists one; the owner is told, and the audit trail has it', async () => {
    const { status, body: made } = await create({ name: 'Registered' });
    expect([status, made]).toMatchObject([
      201,
      { ownerId: alice.userId, kids: ['one'], status: 'active', isWhole: true },
    ]);
    const { token } = await signIn(app, admin);
    expect((await app.request('GET', `/v1/clients/${made.id}`, { token })).body).toMatchObject({ id: made.id });
    expect((await app.request('GET', '/v1/clients', { token })).body.items[0]).toMatchObject({ id: made.id });
    // With: notices.
    expect((await app.mailTo(alice.email, 'A program can act for you')).text).toContain('act for your account');
    const event = await app.auditEvent('authn_client_created');
    expect(event).toMatchObject({ actor_id: admin.userId, target_id: alice.userId, details: { client: made.id } });
  });

  it.each([
    ['EC on another curve', () => jwkOf(p384)],
    ['Ed448', () => jwkOf(generateKeyPairSync('ed448').publicKey)],
    ['RSA of 1024 bits', () => jwkOf(rsa(1024))],
    ['RSA with a small exponent', () => jwkOf(rsa(2048, 3))],
    ['a point that is not on the curve', () => ({ ...newKey('k').jwk, x: newKey().jwk.x })],
    ['a shared secret', () => ({ kty: 'oct', k: 'AAAA', kid: 'k' })],
    ['nothing', () => ({ kty: 'EC', kid: 'k' })],
  ])('brings %s for a key: refused, and nothing is stored', async (what, key) => {
    expect([400, 422]).toContain((await create({ name: what, key: key() })).status);
    expect(await stored(what)).toEqual([]);
  });

  it('brings a private key: refused, not stored, and not repeated', async () => {
    const key = jwkOf(pair.privateKey);
    const { status, text } = await create({ name: 'private', key });
    expect(status).toBe(400);
    expect(text + app.logText()).not.toContain(key['d']);
    expect(await stored('private')).toEqual([]);
  });

  it.each([
    ['EC P-256', () => jwkOf(pair.publicKey)],
    ['Ed25519', () => jwkOf(generateKeyPairSync('ed25519').publicKey)],
    ['RSA of 3072 bits', () => jwkOf(rsa(3072))],
  ])('takes %s', async (_, key) => expect((await create({ key: key() })).status).toBe(201));

  it.each([
    ['a scope of a route that is for people', { scopes: ['user:disable'] }],
    ['no scope', { scopes: [] }],
    ['an owner that nobody is', { ownerId: neverIssued }],
    ['two keys with one kid', { nextKey: newKey('one').jwk }],
    ['an address of keys', { jwks_uri: 'https://elsewhere.example/jwks' }],
  ])('registers %s: refused', async (what, changes) => {
    expect([400, 422]).toContain((await create({ name: what, ...changes })).status);
    expect(await stored(what)).toEqual([]);
  });

  it('registers for an owner who is disabled: refused', async () => {
    const eve = await signUp(app, 'eve');
    await app.operate(`UPDATE users SET status = 'disabled' WHERE id = $1`, [eve.userId]);
    expect((await create({ ownerId: eve.userId })).status).toBe(422);
  });

  it('is no administrator: 403, for every route', async () => {
    expect((await create({}, alice)).status).toBe(403);
    const { token } = await signIn(app, alice);
    for (const [method, path] of [
      ['GET', ''],
      ['GET', `/${neverIssued}`],
      ['DELETE', `/${neverIssued}`],
    ] as const)
      expect((await app.request(method, `/v1/clients${path}`, { token })).status).toBe(403);
  });

  it('names a client that is not there: 404', async () => {
    const { token } = await signIn(app, admin);
    for (const [method, path] of [
      ['GET', ''],
      ['DELETE', ''],
      ['POST', '/disable'],
      ['POST', '/enable'],
    ] as const)
      expect((await app.request(method, `/v1/clients/${neverIssued}${path}`, { token })).status).toBe(404);
  });

  it('a row that was changed past the service is shown as such, cannot be enabled, and can be deleted', async () => {
    const { id } = (await create({ name: 'Broken' })).body as { id: string };
    await app.sql(`UPDATE clients SET scopes = '{sample:create}' WHERE id = $1`, [id]);
    const { token } = await signIn(app, admin);
    expect((await app.request('GET', `/v1/clients/${id}`, { token })).body).toMatchObject({ isWhole: false });
    expect((await app.request('POST', `/v1/clients/${id}/enable`, { token })).status).toBe(409);
    expect((await app.request('DELETE', `/v1/clients/${id}`, { token })).status).toBe(204);
  });

  it('the database refuses a private member, whoever writes it', async () => {
    const { id } = (await create({ name: 'Checked' })).body as { id: string };
    const write = app.sql(`UPDATE clients SET keys = '{"keys":[{"d":"x"}]}' WHERE id = $1`, [id]);
    await expect(write).rejects.toThrow('clients_keys_check');
  });
});
