import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signIn, signUp, type Actor } from '../../../support/actors.js';
import { startApp, type TestApp } from '../../../support/app.js';
import { Relay } from '../../../support/relay.js';
import { KmsStub, kmsCredentials } from '../../../support/stubs/kms.js';
import { VaultStub } from '../../../support/stubs/vault-transit.js';

// The whole service on a key service that speaks the real protocol. Between them a relay that can be cut.

interface KeyService {
  readonly relay: Relay;
  readonly env: Readonly<Record<string, string>>;
  /** What opens the key service: never in a log. */
  readonly credential: string;
  close(): Promise<void>;
}

const services: Readonly<Record<string, () => Promise<KeyService>>> = {
  'vault-transit': async () => {
    const stub = await VaultStub.start();
    const { relay, url } = await Relay.to(stub.address);
    const env = { KEY_WRAPPER: 'vault-transit', VAULT_ADDR: url, VAULT_TRANSIT_KEY: 'data-keys', VAULT_TOKEN_FILE: stub.tokenFile, VAULT_CA_FILE: stub.caFile };
    return { relay, env, credential: readFileSync(stub.tokenFile, 'utf8').trim(), close: () => stub.close() };
  },
  'aws-kms': async () => {
    Object.assign(process.env, kmsCredentials);
    const stub = await KmsStub.start();
    const { relay, url } = await Relay.to(stub.endpoint);
    const env = { KEY_WRAPPER: 'aws-kms', AWS_KMS_KEY_ID: stub.makeKey(), AWS_KMS_ENDPOINT: url };
    return { relay, env, credential: kmsCredentials.AWS_SECRET_ACCESS_KEY, close: () => stub.close() };
  },
};

describe.each(Object.entries(services))('the service on %s [practice 7.3] [ASVS 13.3.3]', (name, open) => {
  let service: KeyService;
  let app: TestApp;
  let ann: Actor;
  let eve: Actor;

  const login = ({ email, password }: Actor) => app.request('POST', '/v1/auth/login', { body: { email, password } });
  const failures = () => app.sql<{ details: { code: string } }>(`SELECT details FROM audit_events WHERE action = 'crypt_decrypt_fail'`);
  const wrappers = async () => (await app.sql<{ wrapper: string }>('SELECT DISTINCT wrapper FROM data_keys ORDER BY wrapper')).map(({ wrapper }) => wrapper);

  beforeAll(async () => {
    service = await open();
    app = await startApp({ env: service.env });
    [ann, eve] = [await signUp(app, 'ann'), await signUp(app, 'eve')];
  });
  afterAll(async () => {
    await app.close();
    service.relay.close();
    await service.close();
  });

  it('an honest user signs up, in and reads their data; every data key is wrapped by it', async () => {
    expect((await app.request('GET', '/v1/users/me', { token: ann.token })).body).toMatchObject({ email: ann.email });
    expect(await wrappers()).toEqual([name]);
    const purposes = await app.sql('SELECT DISTINCT purpose FROM data_keys ORDER BY purpose');
    expect(purposes).toEqual([{ purpose: 'jwt' }, { purpose: 'pii' }]);
  });

  it('the key service goes away: 503 and nothing else, no alarm of tampering; it comes back, and so do we', async () => {
    await app.restart();
    service.relay.cut();
    const refused = [await login(ann), await app.request('GET', '/v1/users/me', { token: eve.token })];
    for (const { status, headers, text } of refused) {
      expect([status, headers['retry-after']]).toEqual([503, '5']);
      for (const word of [name, 'KEY_SERVICE', 'ECONN', 'wrap', ann.email, eve.email]) expect(text).not.toContain(word);
    }
    expect(await failures()).toEqual([]);
    // The owner reads which service it is; the credential is nowhere.
    expect(app.logText()).toContain(`the key service ${name} does not do its work`);
    expect(app.logText()).not.toContain(service.credential);
    service.relay.restore();
    expect((await login(ann)).status).toBe(200);
  });

  it('starts without its key service: it says which, and does not start', async () => {
    service.relay.cut();
    await expect(app.restart()).rejects.toThrow(`the key service ${name} does not do its work`);
    service.relay.restore();
    await app.start(1);
    await signIn(app, ann);
  });

  it('wraps with the key ring from now on: what the key service wrapped still opens, beside it', async () => {
    await app.restart({ env: { ...service.env, KEY_WRAPPER: 'local' } });
    await signIn(app, ann);
    await signUp(app, 'bob');
    expect(await wrappers()).toEqual([name, 'local'].toSorted());
    await app.restart({ env: service.env });
    await signIn(app, ann);
  });

  it('swaps the wrapped keys of two people by SQL: refused, and the alarm names the row', async () => {
    await app.sql(
      `UPDATE data_keys mine SET wrapped = theirs.wrapped FROM data_keys theirs
       WHERE mine.subject IN ($1, $2) AND theirs.subject IN ($1, $2) AND mine.subject <> theirs.subject`,
      [ann.userId, eve.userId],
    );
    await app.restart();
    const answer = await app.request('GET', '/v1/users/me', { token: ann.token });
    expect(answer.status).toBe(500);
    for (const person of [ann, eve]) expect(answer.text).not.toContain(person.email);
    const event = await app.auditEvent('crypt_decrypt_fail');
    expect(event).toMatchObject({ target_id: ann.userId, details: { code: 'broken-key' } });
  });
});
