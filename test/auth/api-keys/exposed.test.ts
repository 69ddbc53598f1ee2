import { request } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { signUp, type Actor } from '../../support/actors.js';
import { startApp, type TestApp } from '../../support/app.js';
import { SamplesModule } from '../../support/sample/samples.module.js';
import { unlimited } from '../../support/unlimited.js';
import { callWith, formatOf, makeKey, refusal, type MadeKey } from './keys.js';

describe('a key that others may have read is revoked [practice 1.3] [A2-8] [ASVS 14.2.1]', () => {
  let app: TestApp;
  let alice: Actor;
  let made: MadeKey;

  beforeAll(async () => {
    unlimited();
    app = await startApp({ modules: [SamplesModule] });
  });
  beforeEach(async () => {
    alice = await signUp(app, 'alice');
    made = await makeKey(app, alice);
    expect(await callWith(app, made.key)).toBe(200);
  });
  afterAll(() => app.close());

  const expectRevoked = async () => {
    await app.auditEvent('authn_credential_in_clear', (row) => row['target_id'] === made.id);
    expect(await callWith(app, made.key)).toBe(401);
    // With: notices.
    expect((await app.mailTo(alice.email, 'was revoked')).text).toContain('in an address, or over plain HTTP');
  };

  it.each([
    ['the query of a route that wants it', 400, (key: string) => `/v1/samples?api_key=${key}`],
    ['the query of a public route', 400, (key: string) => `/.well-known/jwks.json?x=${key}`],
    ['the path of a route', 400, (key: string) => `/v1/samples/${key}`],
    ['a path that leads nowhere', 404, (key: string) => `/v2/${key}/samples`],
    ['a query, percent-encoded', 400, (key: string) => `/v1/samples?k=${key.replaceAll('_', '%5F')}`],
    ['a path that is refused for its spelling', 400, (key: string) => `/v1/samples/${key.replaceAll('_', '%5F')}`],
  ])('puts it into %s: %i, revoked, recorded, mailed', async (_, status, pathOf) => {
    const { status: answered, text } = await app.request('GET', pathOf(made.key));
    expect(answered).toBe(status);
    expect(text).not.toContain(made.key);
    await expectRevoked();
    expect(app.logText()).not.toContain(made.key);
  });

  it('puts it into the address and the header: 400, and it is worth nothing any more', async () => {
    const { status } = await app.request('GET', `/v1/samples?api_key=${made.key}`, { token: made.key });
    expect(status).toBe(400);
    await refusal(app, 'misplaced');
    await expectRevoked();
  });

  it('sends it over plain HTTP: 403, revoked, recorded, mailed', async () => {
    const { status, text } = await inClear({ authorization: `Bearer ${made.key}` });
    expect(status).toBe(403);
    expect(text).toContain('API keys');
    await expectRevoked();
  });

  it('sends it over plain HTTP where nobody looks for it: found by its form', async () => {
    expect((await inClear({ 'x-thing': Buffer.from(made.key).toString('base64') })).status).toBe(403);
    await expectRevoked();
  });

  it('makes texts up with the id of the key, and the right checksum: refused, and the key lives on', async () => {
    const forged = formatOf(app).create(made.id).key;
    expect((await app.request('GET', `/v1/samples?api_key=${forged}`)).status).toBe(400);
    expect((await inClear({ authorization: `Bearer ${forged}` })).status).toBe(403);
    await refusal(app, 'misplaced');
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(await callWith(app, made.key)).toBe(200);
  });

  it('floods the service with such addresses: after ten of a network in a minute nothing is looked up', async () => {
    const from = '127.77.0.1';
    for (let sent = 0; sent < 10; sent++)
      await app.request('GET', `/v2/${formatOf(app).create(made.id).key}`, { from });
    await app.request('GET', `/v2/${made.key}`, { from });
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(await callWith(app, made.key)).toBe(200);
    await app.request('GET', `/v2/${made.key}`);
    await expectRevoked();
  });

  const inClear = (headers: Record<string, string>) =>
    new Promise<{ status: number | undefined; text: string }>((resolve, reject) => {
      const { http: port } = app.on(0).addresses;
      request({ host: '127.0.0.1', port, path: '/v1/samples', headers }, (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => (text += chunk.toString()));
        response.on('end', () => resolve({ status: response.statusCode, text }));
      })
        .on('error', reject)
        .end();
    });
});
