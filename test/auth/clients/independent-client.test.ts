import * as oauth from 'openid-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signUp, signUpAdministrator } from '../../support/actors.js';
import { startApp, type TestApp } from '../../support/app.js';
import { createSample } from '../../support/sample/samples.js';
import { SamplesModule } from '../../support/sample/samples.module.js';
import { issuerOf, publicUrlOf, RegisteredClient } from './registered-client.js';

describe('a client library that knows nothing of this service finds and uses it [practice 2.1] [ASVS 10.3.1]', () => {
  let app: TestApp;
  let client: RegisteredClient;
  let path: string;
  let configuration: oauth.Configuration;

  /** To the service, wherever it listens: its public address is that of the gateway. */
  const viaApp: oauth.CustomFetch = async (url, { method, headers, body }) => {
    const { pathname, search } = new URL(url);
    const raw =
      body === undefined || body === null
        ? {}
        : { raw: body instanceof URLSearchParams ? body.toString() : (body as string) };
    const answer = await app.request(method, `${pathname}${search}`, { ...raw, headers: { ...headers } });
    const fields = Object.entries(answer.headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value] as [string, string]],
    );
    return new Response(answer.text, { status: answer.status, headers: fields });
  };

  beforeAll(async () => {
    app = await startApp({ modules: [SamplesModule] });
    const alice = await signUp(app, 'alice');
    client = await RegisteredClient.create(app, await signUpAdministrator(app), alice.userId);
    path = `/v1/samples/${(await createSample(app, alice)).id}`;
    const key = await crypto.subtle.importKey(
      'jwk',
      client.key.privateKey.export({ format: 'jwk' }),
      { name: 'ECDSA', namedCurve: 'P-256' },
      false,
      ['sign'],
    );
    const method = oauth.PrivateKeyJwt({ key, kid: client.key.jwk.kid });
    const options = { algorithm: 'oauth2', [oauth.customFetch]: viaApp } as const;
    configuration = await oauth.discovery(new URL(issuerOf(app)), client.id, undefined, method, options);
    configuration[oauth.customFetch] = viaApp;
  }, 60_000);
  afterAll(() => app.close());

  it('reads the metadata: one grant, one kind of proof, nothing for people', () => {
    const metadata = configuration.serverMetadata();
    expect(metadata.issuer).toBe(issuerOf(app));
    expect(metadata.grant_types_supported).toEqual(['client_credentials']);
    expect(metadata.response_types_supported).toEqual([]);
    expect(metadata.token_endpoint_auth_methods_supported).toEqual(['private_key_jwt']);
    expect(metadata.authorization_endpoint).toBeUndefined();
    expect(metadata.registration_endpoint).toBeUndefined();
  });

  it('gets a token, asks about it, and ends it', async () => {
    const { access_token: token } = await oauth.clientCredentialsGrant(configuration, { scope: 'sample:read' });
    const url = new URL(`${publicUrlOf(app)}${path}`);
    expect((await oauth.fetchProtectedResource(configuration, token, url, 'GET')).status).toBe(200);
    expect(await oauth.tokenIntrospection(configuration, token)).toMatchObject({ active: true, client_id: client.id });
    await oauth.tokenRevocation(configuration, token);
    expect(await oauth.tokenIntrospection(configuration, token)).toEqual({ active: false });
  });

  it('binds a token to a key of its own, and proves it', async () => {
    const DPoP = oauth.getDPoPHandle(configuration, await oauth.randomDPoPKeyPair('ES256'));
    const wanted = { scope: 'sample:read' };
    const granted = await oauth.clientCredentialsGrant(configuration, wanted, { DPoP });
    expect(granted.token_type).toBe('dpop');
    const url = new URL(`${publicUrlOf(app)}${path}`);
    const use = (handle?: oauth.DPoPHandle) =>
      oauth.fetchProtectedResource(
        configuration,
        granted.access_token,
        url,
        'GET',
        undefined,
        undefined,
        handle && { DPoP: handle },
      );
    expect((await use(DPoP)).status).toBe(200);
    await expect(use()).rejects.toThrow();
  });

  it('asks for more than it may: it understands the refusal', async () => {
    const beyond = oauth.clientCredentialsGrant(configuration, { scope: 'sample:delete' });
    await expect(beyond).rejects.toMatchObject({ error: 'invalid_scope' });
  });
});
