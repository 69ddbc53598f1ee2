import { createHmac, createPublicKey } from 'node:crypto';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signUp, signUpAdministrator, type Actor } from '../../support/actors.js';
import { startApp, type TestApp } from '../../support/app.js';
import { neverIssued, type Answer } from '../../support/http.js';
import { SamplesModule } from '../../support/sample/samples.module.js';
import { unlimited } from '../../support/unlimited.js';
import { form, issuerOf, newKey, nowSeconds, publicUrlOf, RegisteredClient } from './registered-client.js';

let app: TestApp;
let admin: Actor;
let alice: Actor;
let client: RegisteredClient;

beforeAll(async () => {
  unlimited();
  app = await startApp({ modules: [SamplesModule], broken: '/v1/samples' });
  admin = await signUpAdministrator(app);
  alice = await signUp(app, 'alice');
  client = await RegisteredClient.create(app, admin, alice.userId);
}, 60_000);
afterAll(() => app.close());

/** One and the same answer for whatever is wrong with a client, in the form of OAuth, and no token. */
function expectRefused({ status, body, headers, text }: Answer, error = 'invalid_client'): void {
  expect([status, body.error, headers['content-type']]).toEqual([400, error, 'application/json; charset=utf-8']);
  expect(text).not.toContain('access_token');
}

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('a client proves who it is by its key [practice 2.2] [ASVS 10.4.10] [ASVS 10.4.16]', () => {
  it('an honest client gets a token of RFC 9068 for minutes, and the audit trail names it', async () => {
    const { status, body, headers } = await client.ask();
    expect([status, headers['cache-control']]).toEqual([200, 'no-store']);
    expect(body).toMatchObject({ token_type: 'Bearer', expires_in: 300, scope: 'sample:read' });
    expect(decodeProtectedHeader(body.access_token)).toEqual({ alg: 'ES256', typ: 'at+jwt', kid: expect.any(String) });
    const claims = decodeJwt(body.access_token);
    expect(claims).toEqual({
      iss: issuerOf(app), aud: publicUrlOf(app), sub: client.id, client_id: client.id, scope: 'sample:read',
      iat: expect.any(Number), exp: (claims.iat ?? 0) + 300, jti: expect.any(String), version: 1,
    }); // prettier-ignore
    const event = await app.auditEvent(
      'authn_token_created',
      ({ details }) => (details as { client?: string }).client === client.id,
    );
    expect(event).toMatchObject({ outcome: 'success', details: { scopes: ['sample:read'] } });
  });

  it('signs with alg none: refused', async () => {
    const { iss, sub, aud, exp, jti } = decodeJwt(await client.assertion());
    expectRefused(
      await client.ask({ assertion: `${encode({ alg: 'none' })}.${encode({ iss, sub, aud, exp, jti })}.` }),
    );
  });

  it('signs with HS256, the public key for a secret: refused', async () => {
    const body = `${encode({ alg: 'HS256', kid: client.key.jwk.kid })}.${encode(decodeJwt(await client.assertion()))}`;
    for (const secret of [
      client.key.publicKey.export({ type: 'spki', format: 'pem' }),
      JSON.stringify(client.key.jwk),
      createPublicKey({ key: client.key.jwk, format: 'jwk' }).export({ type: 'spki', format: 'der' }),
    ])
      expectRefused(
        await client.ask({ assertion: `${body}.${createHmac('sha256', secret).update(body).digest('base64url')}` }),
      );
  });

  it('signs with the key of another client, or with one that nobody has: refused', async () => {
    const other = await RegisteredClient.create(app, admin, alice.userId);
    expectRefused(await client.ask({ assertion: await client.assertion({}, { key: other.key }) }));
    const sameKid = newKey(client.key.jwk.kid);
    expectRefused(await client.ask({ assertion: await client.assertion({}, { key: sameKid }) }));
  });

  it('is unknown, or disabled: the same answer as for a wrong key, letter for letter', async () => {
    const wrong = await client.ask({ assertion: await client.assertion({}, { key: newKey() }) });
    const unknown = await client.ask({ assertion: await client.assertion({ iss: neverIssued, sub: neverIssued }) });
    expectRefused(unknown);
    expect(unknown.text).toBe(wrong.text);
    await app.auditEvent(
      'authn_token_fail',
      ({ details }) => (details as { reason?: string }).reason === 'invalid_client',
    );
  });

  it.each([
    ['the token endpoint', () => `${issuerOf(app)}/token`],
    ['the service itself', () => publicUrlOf(app)],
    ['another server', () => 'https://elsewhere.example/oauth'],
    ['a list with the issuer in it', () => [issuerOf(app), 'https://elsewhere.example']],
    ['nobody', () => undefined],
  ])('made the assertion for %s: refused, the audience is the issuer alone', async (_, aud) =>
    expectRefused(await client.ask({ assertion: await client.assertion({ aud: aud() }) })),
  );

  it.each([
    ['has expired', () => ({ exp: nowSeconds() - 30 })],
    ['lasts for longer than two minutes', () => ({ exp: nowSeconds() + 600 })],
    ['lasts for ever', () => ({ exp: undefined })],
    ['counts later', () => ({ nbf: nowSeconds() + 300 })],
    ['has no jti', () => ({ jti: undefined })],
    ['is of another issuer', () => ({ iss: neverIssued })],
  ])('the assertion %s: refused', async (_, claims) =>
    expectRefused(await client.ask({ assertion: await client.assertion(claims()) })),
  );

  it('replays an assertion, at once, of two at the same time, or on another instance: one token', async () => {
    const assertion = await client.assertion();
    const all = await Promise.all([0, 1, 0, 1].map((on) => client.ask({ assertion, on })));
    expect(all.map(({ status }) => status).toSorted()).toEqual([200, 400, 400, 400]);
    expectRefused(await client.ask({ assertion, on: 1 }), 'invalid_request');
  });

  it('sends an access token, or a password, beside the assertion: 400, one way to say who it is [A2-8]', async () => {
    const token = await client.token();
    expect((await client.ask({ parts: { headers: { authorization: `Bearer ${token}` } } })).status).toBe(400);
    const basic = `Basic ${Buffer.from(`${client.id}:secret`).toString('base64')}`;
    expect((await client.ask({ parts: { headers: { authorization: basic } } })).status).toBe(401);
    expectRefused(await client.ask({ fields: { client_id: neverIssued } }), 'invalid_request');
  });

  it('sends a field twice: 400, before anybody reads it', async () => {
    const raw = `${form({ grant_type: 'client_credentials' }).raw as string}&grant_type=client_credentials`;
    const { status, body } = await app.request('POST', '/oauth/token', { ...form({}), raw });
    expect([status, body.type]).toEqual([400, '/problems/malformed-request']);
  });

  it('sends JSON, or nothing: refused', async () => {
    const nothing = await app.request('POST', '/oauth/token', form({}));
    expectRefused(nothing, 'invalid_request');
    const json = await app.request('POST', '/oauth/token', { body: { grant_type: 'client_credentials' } });
    expect(json.status).toBe(400);
  });
});

describe('what a client can ask for [ASVS 10.4.4] [ASVS 10.4.11]', () => {
  it.each([
    'authorization_code',
    'refresh_token',
    'password',
    'implicit',
    'urn:ietf:params:oauth:grant-type:device_code',
  ])('asks with the grant %s: refused', async (grant) =>
    expectRefused(await client.ask({ fields: { grant_type: grant } }), 'unsupported_grant_type'),
  );

  it('asks for a scope beyond its registration, for one that nobody has, or for none: refused', async () => {
    for (const scope of ['sample:create', 'sample:read sample:create', 'openid', 'user:disable', ''])
      expectRefused(await client.ask({ fields: { scope } }), 'invalid_scope');
  });

  it('asks for the audience of somebody else: refused', async () => {
    for (const resource of ['https://elsewhere.example', `${publicUrlOf(app)}/v1`])
      expectRefused(await client.ask({ fields: { resource } }), 'invalid_target');
    await client.token({ fields: { resource: publicUrlOf(app) } });
  });

  it.each(['/oauth/auth', '/oauth/me', '/oauth/session/end', '/oauth/reg', '/oauth/device', '/oauth/jwks', '/oauth'])(
    'finds no interactive route of the library at %s: 404',
    async (path) => {
      for (const method of ['GET', 'POST']) expect((await app.request(method, path)).status).toBe(404);
    },
  );

  it('is told of a form that no other route takes one: 415', async () => {
    const { status } = await app.request('POST', '/v1/auth/login', form({ email: 'a@example.org', password: 'x' }));
    expect(status).toBe(415);
  });
});
