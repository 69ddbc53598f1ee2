// With: mtls.
import { randomUUID } from 'node:crypto';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signIn, signUpAdministrator, type Actor } from '../../support/actors.js';
import type { Answer, RequestParts } from '../../support/http.js';
import { unlimited } from '../../support/unlimited.js';
import { ClientAuthority, dns, serverOnly, uri, type ClientPair } from '../mtls/client-authority.js';
import { MtlsApp } from '../mtls/mtls-app.js';
import { form, newKey, RegisteredClient } from './registered-client.js';

const name = 'spiffe://example.org/oauth/analyser';

let mtls: MtlsApp;
let admin: Actor;
let id: string;
let pair: ClientPair;

beforeAll(async () => {
  unlimited();
  mtls = await MtlsApp.start({ withList: true });
  admin = await signUpAdministrator(mtls.app);
  const { status, body } = await register();
  expect([status, body.certificate, body.kids]).toEqual([201, `uri:${name}`, []]);
  id = body.id as string;
  pair = await mtls.authority.issue({ names: [uri(name)] });
}, 60_000);
afterAll(() => mtls.close());

async function register(changes: Record<string, unknown> = {}): Promise<Answer> {
  const { token } = await signIn(mtls.app, admin);
  const wanted = { name: 'Analyser', ownerId: mtls.alice.userId, scopes: ['sample:read'], certificate: `uri:${name}` };
  return mtls.app.request('POST', '/v1/clients', { token, body: { ...wanted, ...changes } });
}

const ask = (certificate?: ClientPair, parts: RequestParts = {}, client = id): Promise<Answer> => {
  const { raw, headers } = form({ grant_type: 'client_credentials', scope: 'sample:read', client_id: client });
  const all = { ...parts, raw: raw ?? '', headers: { ...headers, ...parts.headers } };
  return mtls.app.request('POST', '/oauth/token', { ...all, ...(certificate && { certificate }) });
};
const tokenOf = async (certificate = pair): Promise<string> => (await ask(certificate)).body.access_token as string;
const call = (token: string, certificate?: ClientPair, headers: RequestParts['headers'] = {}): Promise<Answer> =>
  mtls.app.request('GET', mtls.path, { token, headers, ...(certificate && { certificate }) });

/** In the form of OAuth, and without a token. */
function expectRefused({ status, body, text }: Answer, error = 'invalid_client'): void {
  expect([status, body.error]).toEqual([400, error]);
  expect(text).not.toContain('access_token');
}

describe('a client proves who it is by its certificate, RFC 8705 [practice 2.2] [ASVS 10.4.16]', () => {
  it('an honest client gets a token that is bound to the certificate, and calls with both', async () => {
    const { status, body } = await ask(pair);
    expect([status, body.token_type]).toEqual([200, 'Bearer']);
    const { cnf } = decodeJwt(body.access_token);
    expect(cnf).toEqual({ 'x5t#S256': expect.stringMatching(/^[\w-]{43}$/) });
    expect((await call(body.access_token, pair)).status).toBe(200);
    const about = form({ token: body.access_token, client_id: id });
    const told = await mtls.app.request('POST', '/oauth/introspect', { ...about, certificate: pair });
    expect(told.body).toMatchObject({ active: true, cnf });
  });

  it('says in its metadata that it takes certificates', async () => {
    const { body } = await mtls.app.request('GET', '/.well-known/oauth-authorization-server/oauth', {
      certificate: pair,
    });
    expect(body.token_endpoint_auth_methods_supported).toContain('tls_client_auth');
    expect(body.tls_client_certificate_bound_access_tokens).toBe(true);
  });

  it('has the id of the client alone: refused, as everybody knows it', async () => expectRefused(await ask()));

  it('shows a good certificate of another name, or with the name in another place: refused', async () => {
    expectRefused(await ask(await mtls.authority.issue({ names: [uri(`${name}-2`)] })));
    expectRefused(await ask(await mtls.authority.issue({ names: [dns('analyser')] })));
  });

  it('shows one with that name of another CA: 401, and the audit trail has the reason', async () => {
    const foreign = await ClientAuthority.create('CN=Another CA');
    expect((await ask(await foreign.issue({ names: [uri(name)] }))).status).toBe(401);
    await mtls.refusal('issuer');
  });

  it('shows one that has expired: 401', async () => {
    const [from, to] = [new Date(Date.now() - 7_200_000), new Date(Date.now() - 3_600_000)];
    expect((await ask(await mtls.authority.issue({ names: [uri(name)], from, to }))).status).toBe(401);
    await mtls.refusal('expired');
  });

  it('shows the certificate of a mapped machine: refused, it is a proof of nothing else', async () => {
    const { body } = await register({ certificate: 'uri:spiffe://example.org/lab/analyser' });
    expectRefused(await ask(mtls.machine, {}, body.id as string));
  });

  it('writes the certificate into a field, past the gateway: 401', async () => {
    expect((await ask(undefined, { headers: { 'client-cert': pair.field } })).status).toBe(401);
    await mtls.refusal('forwarded');
  });

  it('comes through a gateway that proved who it is: as over a connection of its own', async () => {
    const through = { headers: { 'client-cert': pair.field } };
    const { status, body } = await ask(mtls.gateway, through);
    expect(status).toBe(200);
    expect((await call(body.access_token, mtls.gateway, through.headers)).status).toBe(200);
    expect((await call(body.access_token, mtls.gateway)).status).toBe(401);
  });

  it('comes through a gateway with one that is for servers only: 401, the gateway does not decide', async () => {
    const { field } = await mtls.authority.issue({ names: [uri(name)], usages: serverOnly });
    expect((await ask(mtls.gateway, { headers: { 'client-cert': field } })).status).toBe(401);
    await mtls.refusal('purpose');
  });

  it('has the key of another client, or the certificate for one with a key: refused', async () => {
    const other = await RegisteredClient.create(mtls.app, admin, mtls.alice.userId);
    expectRefused(await other.ask({ assertion: await other.assertion({ iss: id, sub: id }) }));
    expectRefused(await ask(pair, {}, other.id));
  });
});

describe('a token that is bound to a certificate [ASVS 10.3.5]', () => {
  it('is stolen, and used without the certificate, or with another good one: 401', async () => {
    const token = await tokenOf();
    expect((await call(token)).status).toBe(401);
    await mtls.refusal('proof');
    const another = await mtls.authority.issue({ names: [uri(name)] });
    expect((await call(token, another)).status).toBe(401);
  });

  it('is used with the certificate of a mapped machine: 400, those are two credentials [A2-8]', async () =>
    expect((await call(await tokenOf(), mtls.machine)).status).toBe(400));

  it('a certificate is no proof beside the token of a person: 400', async () =>
    expect((await call(mtls.alice.token, pair)).status).toBe(400));

  it('a certificate that is no good beside a token that needs none: 401, whatever is sent must be good', async () => {
    const other = await RegisteredClient.create(mtls.app, admin, mtls.alice.userId);
    const token = await other.token();
    expect((await call(token, pair)).status).toBe(200);
    const foreign = await ClientAuthority.create('CN=Another CA');
    expect((await call(token, await foreign.issue({ names: [uri(name)] }))).status).toBe(401);
  });

  it('the certificate is revoked: its token is worth nothing from then on, and it gets no other', async () => {
    const lost = await mtls.authority.issue({ names: [uri(name)] });
    const token = await tokenOf(lost);
    expect((await call(token, lost)).status).toBe(200);
    await mtls.replace({ 'ca.crl': await mtls.authority.list([lost], 0) });
    expect((await call(token, lost)).status).toBe(401);
    expect((await ask(lost)).status).toBe(401);
    expect((await call(await tokenOf(), pair)).status).toBe(200);
  });
});

describe('administrators register clients with certificates [practice 2.2]', () => {
  it.each([
    ['neither key nor certificate', { certificate: undefined }],
    ['both', { key: newKey().jwk }],
    ['a second key', { nextKey: newKey().jwk }],
    ['a name without its kind', { certificate: name }],
    ['a common name', { certificate: 'cn:analyser' }],
    ['a pattern', { certificate: 'dns:*.example.org' }],
  ])('with %s: 422, and nothing is stored', async (_, changes) => {
    const named = `Refused ${randomUUID()}`;
    expect((await register({ name: named, ...changes })).status).toBe(422);
    expect(await mtls.app.sql('SELECT id FROM clients WHERE name = $1', [named])).toEqual([]);
  });

  it('gives keys to a client with a certificate: 409, one proof is what was agreed to', async () => {
    const { token } = await signIn(mtls.app, admin);
    const parts = { token, body: { key: newKey().jwk } };
    expect((await mtls.app.request('PUT', `/v1/clients/${id}/keys`, parts)).status).toBe(409);
    expect((await call(await tokenOf(), pair)).status).toBe(200);
  });

  it('writes another name into the row by SQL: it is nobody from then on', async () => {
    const { body } = await register({ certificate: 'uri:spiffe://example.org/other' });
    await mtls.app.sql('UPDATE clients SET certificate = $1 WHERE id = $2', [`uri:${name}`, body.id]);
    expectRefused(await ask(pair, {}, body.id as string));
  });
});
