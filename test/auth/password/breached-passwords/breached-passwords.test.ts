import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readConfig } from '../../../../src/config/index.js';
import { BreachedPasswords } from '../../../../src/auth/password/breached-passwords/breached-passwords.js';
import { Egress } from '../../../../src/egress/index.js';
import { TlsServer } from '../../../egress/servers.js';
import { mailedToken, signIn, signUp, type Actor } from '../../../support/actors.js';
import { startApp, type TestApp } from '../../../support/app.js';
import { Authority } from '../../../support/tls-servers.js';

const breached = 'violet harbour counts to nine';
const clean = 'pebbles hum beneath the quay';
const sha1 = (text: string) => createHash('sha1').update(text).digest('hex').toUpperCase();

/** As Have I Been Pwned answers: the suffix of the breached one, strangers, and padding with the count 0. */
const list = () =>
  [
    `${sha1(breached).slice(5)}:17`,
    ...Array.from({ length: 800 }, () => `${randomBytes(18).toString('hex').slice(1).toUpperCase()}:0`),
  ].join('\r\n');

describe('passwords that are known from a breach (ASVS 6.2.12)', () => {
  let authority: Authority;
  let service: TlsServer;
  let app: TestApp;
  let alice: Actor;

  beforeAll(async () => {
    authority = await Authority.create();
    service = await TlsServer.start(authority);
    const host = `localhost:${service.port}`;
    app = await startApp({
      env: {
        BREACHED_PASSWORDS_URL: `https://${host}`,
        EGRESS_ALLOW_PRIVATE_HOSTS: host,
        EGRESS_CA_FILE: authority.caFile,
      },
    });
    service.answer = (response) => response.end(list());
    alice = await signUp(app, 'alice');
  });
  beforeEach(() => {
    service.requests.length = 0;
    service.answer = (response) => response.end(list());
  });
  afterAll(async () => {
    await app.close();
    await service.close();
    authority.remove();
  });

  const change = (newPassword: string) =>
    app.request('POST', '/v1/auth/password/change', {
      token: alice.token,
      body: { oldPassword: alice.password, newPassword },
    });
  const works = async (password: string) =>
    (await app.request('POST', '/v1/auth/login', { body: { email: alice.email, password } })).status === 200;

  const refused = { status: 422, body: { errors: [{ code: 'breached' }] } };

  // With: recovery.
  it('chooses a breached one at a reset: 422 [ASVS 6.2.12]', async () => {
    await app.request('POST', '/v1/auth/password/forgot', { body: { email: alice.email } });
    await app.mailQuiet();
    const token = await mailedToken(app, alice.email);
    expect(await app.request('POST', '/v1/auth/password/reset', { body: { token, password: breached } })).toMatchObject(
      refused,
    );
  });

  it('chooses a breached one at the change and at the registration: 422 each [ASVS 6.2.12]', async () => {
    expect(await change(breached)).toMatchObject(refused);
    const email = `someone.${randomBytes(4).toString('hex')}@example.org`;
    await app.request('POST', '/v1/auth/register', { body: { email } });
    expect(
      await app.request('POST', '/v1/auth/email/verify', {
        body: { token: await mailedToken(app, email), password: breached, name: 'Someone' },
      }),
    ).toMatchObject(refused);
    expect(await works(alice.password)).toBe(true);
  });

  it('listens to what is asked: five digits of a hash leave, nothing else [A10-3] [ASVS 14.2.3]', async () => {
    await change(breached);
    expect(service.requests.map(({ url }) => url)).toEqual([`/range/${sha1(breached).slice(0, 5)}`]);
    const { headers } = service.requests[0] ?? { headers: {} };
    expect(headers).toEqual({
      'host': `localhost:${service.port}`,
      'add-padding': 'true',
      'accept-encoding': 'identity',
      'connection': 'close',
    });
  });

  it('a password in the padding, with the count 0, is none that is known', async () => {
    service.answer = (response) => response.end(`${sha1(breached).slice(5)}:0\r\n`);
    const config = readConfig({
      BREACHED_PASSWORDS_URL: `https://localhost:${service.port}`,
      EGRESS_ALLOW_PRIVATE_HOSTS: `localhost:${service.port}`,
      EGRESS_CA_FILE: authority.caFile,
    });
    expect(await new BreachedPasswords(new Egress(config), config).has(breached)).toBe(false);
  });

  it.each<[string, TlsServer['answer']]>([
    ['500', (response) => response.writeHead(500).end('canary-body')],
    ['a redirect', (response) => response.writeHead(302, { location: 'https://169.254.169.254/' }).end()],
    ['garbage', (response) => response.end('<html>canary-body</html>')],
    ['100 MB', (response) => response.end(Buffer.alloc(100_000_000, 'canary-body'))],
    ['nothing, ever', () => undefined],
    ['a broken connection', (response) => response.destroy()],
  ])(
    'answers %s: the offline list applies, a line is logged, and people can go on [A10-3] [ASVS 16.5.2]',
    async (_, answer) => {
      service.answer = answer;
      // Changes are counted per session.
      alice = { ...alice, ...(await signIn(app, alice)) };
      const before = app.logText().length;
      expect(await change('passwordpassword')).toMatchObject({
        status: 422,
        body: { errors: [{ code: 'too-common' }] },
      });
      expect((await change(clean)).status).toBe(204);
      alice = { ...alice, password: clean };
      const logged = app.logText().slice(before);
      // With: logging.
      expect(logged).toContain('the list of breached passwords could not be asked');
      for (const secret of ['canary-body', sha1(clean).slice(0, 5), clean]) expect(logged).not.toContain(secret);
    },
  );

  it('is given a URL that egress refuses: the service does not start, and says what to list', () => {
    const config = readConfig({ BREACHED_PASSWORDS_URL: 'https://10.0.0.1' });
    expect(() => new BreachedPasswords(new Egress(config), config)).toThrow('EGRESS_ALLOW_PRIVATE_HOSTS');
  });
});
