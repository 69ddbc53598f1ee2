import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signIn, signUp, signUpAdministrator, type Actor } from '../../support/actors.js';
import { startApp, type TestApp } from '../../support/app.js';
import { SamplesModule } from '../../support/sample/samples.module.js';
import { unlimited } from '../../support/unlimited.js';
import { form, issuerOf, newKey, publicUrlOf, RegisteredClient } from './registered-client.js';

let app: TestApp;
let admin: Actor;
let alice: Actor;
let client: RegisteredClient;
let other: RegisteredClient;

beforeAll(async () => {
  unlimited();
  app = await startApp({ modules: [SamplesModule] });
  admin = await signUpAdministrator(app);
  alice = await signUp(app, 'alice');
  client = await RegisteredClient.create(app, admin, alice.userId);
  other = await RegisteredClient.create(app, admin, alice.userId);
}, 60_000);
afterAll(() => app.close());

const list = async (token: string, on = 0) => (await app.on(on).request('GET', '/v1/samples', { token })).status;
const expectInactive = async (token: string, by = client) =>
  expect((await by.about('introspect', token)).body).toEqual({ active: false });

describe('introspection (RFC 7662) [practice 2.1] [ASVS 10.4.10]', () => {
  it('tells a client what its token is worth', async () => {
    const { status, body, headers } = await client.about('introspect', await client.token());
    expect([status, headers['cache-control']]).toEqual([200, 'no-store']);
    expect(body).toEqual({
      active: true, scope: 'sample:read', client_id: client.id, sub: client.id, token_type: 'Bearer',
      iss: issuerOf(app), aud: publicUrlOf(app), jti: expect.any(String), iat: expect.any(Number),
      exp: expect.any(Number),
    }); // prettier-ignore
    const bound = (await client.about('introspect', await client.boundToken())).body;
    expect(bound).toMatchObject({ active: true, token_type: 'DPoP', cnf: { jkt: await client.thumbprint() } });
  });

  it('asks about the token of another client, or of a person: inactive, and nothing else', async () => {
    await expectInactive(await client.token(), other);
    await expectInactive(alice.token);
  });

  it('asks about what is no token, or none any more: inactive', async () => {
    const token = await client.token();
    const [header = '', body = '', signature = ''] = token.split('.');
    for (const text of ['x', 'presented', `${header}.${body}.${signature.slice(0, -4)}AAAA`, `${header}.${body}.`])
      await expectInactive(text);
    app.clock.advance(301);
    await expectInactive(token);
    app.clock.advance(-301);
  });

  it('asks without proving who it is, or with a proof that was used: refused, whatever the token', async () => {
    const token = await client.token();
    const nobody = await app.request('POST', '/oauth/introspect', form({ token }));
    expect([nobody.status, nobody.body.error, nobody.body.active]).toEqual([400, 'invalid_request', undefined]);
    const wrong = await client.about('introspect', token, await client.assertion({}, { key: newKey() }));
    expect([wrong.status, wrong.body.error]).toEqual([400, 'invalid_client']);
    const assertion = await client.assertion();
    await client.token({ assertion });
    expect((await client.about('introspect', token, assertion, 1)).status).toBe(400);
    expect((await client.about('introspect', '')).status).toBe(400);
  });

  it('the client is disabled: it is told nothing, and its token is inactive from then on', async () => {
    const one = await RegisteredClient.create(app, admin, alice.userId);
    const token = await one.token();
    const { token: session } = await signIn(app, admin);
    for (const action of ['disable', 'enable']) {
      await app.request('POST', `/v1/clients/${one.id}/${action}`, { token: session });
      if (action === 'disable') expect((await one.about('introspect', token)).body.error).toBe('invalid_client');
    }
    await expectInactive(token, one);
  });
});

describe('revocation (RFC 7009) [practice 2.1] [ASVS 7.4.1]', () => {
  it('ends the token at once on every instance, and no other', async () => {
    const [token, second] = [await client.token(), await client.token()];
    for (const on of [0, 1]) expect(await list(token, on)).toBe(200);
    expect((await client.about('revoke', token, undefined, 1)).status).toBe(200);
    for (const on of [0, 1]) expect(await list(token, on)).toBe(401);
    await expectInactive(token);
    expect(await list(second)).toBe(200);
  });

  it('revokes the token of another client, or a session: the same answer, and they go on', async () => {
    const token = await client.token();
    for (const text of [token, alice.token, 'x']) {
      const { status, body } = await other.about('revoke', text);
      expect([status, body]).toEqual([200, { active: false }]);
    }
    expect(await list(token)).toBe(200);
    expect(await list(alice.token)).toBe(200);
  });

  it('revokes without proving who it is: 400, and the token goes on', async () => {
    const token = await client.token();
    expect((await app.request('POST', '/oauth/revoke', form({ token }))).status).toBe(400);
    expect((await client.about('revoke', token, await client.assertion({}, { key: newKey() }))).status).toBe(400);
    expect(await list(token)).toBe(200);
  });

  it('a token that crossed the wire in clear is revoked [practice 1.3]', async () => {
    const token = await client.token();
    const options = { host: '127.0.0.1', port: app.on(0).addresses.http, path: '/v1/samples' };
    await new Promise<void>((resolve, reject) => {
      request({ ...options, headers: { authorization: `Bearer ${token}` } }, (answer) => {
        answer.resume().on('end', () => resolve());
      })
        .on('error', reject)
        .end();
    });
    expect(await list(token)).toBe(401);
    await app.auditEvent(
      'authn_credential_in_clear',
      (row) => (row['details'] as { client?: string }).client === client.id,
    );
  });
});
