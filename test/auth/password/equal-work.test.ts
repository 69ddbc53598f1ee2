import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signIn, signUp, type Actor } from '../../support/actors.js';
import { startApp, type TestApp } from '../../support/app.js';
import { Relay } from '../../support/relay.js';
import { VaultStub } from '../../support/stubs/vault-transit.js';
import { visible } from '../visible.js';

// A key service makes the fetching of data keys visible: it can be away.
describe('sign-in does the same for a known and an unknown address [A2-1] [ASVS 6.3.8]', () => {
  let stub: VaultStub;
  let relay: Relay;
  let app: TestApp;
  let ann: Actor;

  beforeAll(async () => {
    stub = await VaultStub.start();
    const { relay: made, url } = await Relay.to(stub.address);
    relay = made;
    const vault = { VAULT_ADDR: url, VAULT_TRANSIT_KEY: 'data-keys', VAULT_TOKEN_FILE: stub.tokenFile, VAULT_CA_FILE: stub.caFile };
    app = await startApp({ env: { KEY_WRAPPER: 'vault-transit', ...vault } });
    ann = await signUp(app, 'ann');
  });
  afterAll(async () => {
    await app.close();
    relay.close();
    await stub.close();
  });

  const login = (email: string, password = 'not the password of anybody') =>
    app.request('POST', '/v1/auth/login', { body: { email, password } });

  it('asks while the key service is away, cold and warm: 503 for both, so nobody learns who has an account', async () => {
    const nobody = 'nobody.at.all@example.org';
    // Whoever signs in has their key in memory, and so has whoever was asked for a moment ago.
    await signIn(app, ann);
    await login(nobody);
    relay.cut();
    const answers = [await login(ann.email), await login(nobody), await login(ann.email, ann.password)];
    relay.restore();
    expect(answers.map(({ status }) => status)).toEqual([503, 503, 503]);
    expect(visible(answers[0] as never).body).toEqual(visible(answers[1] as never).body);
    expect([(await login(ann.email)).status, (await login(nobody)).status]).toEqual([401, 401]);
    await signIn(app, ann);
  });

  it('starts on several instances and again: one stand-in, sealed under one key of its own', async () => {
    await app.restart();
    expect(await app.sql(`SELECT state FROM data_keys WHERE subject = 'stand-in'`)).toEqual([{ state: 'active' }]);
    expect(await app.sql('SELECT hash FROM stand_in_credentials')).toEqual([{ hash: expect.stringMatching(/^enc:v1:/) }]);
  });
});
