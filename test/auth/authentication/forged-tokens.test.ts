import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signUp, type Actor } from '../../support/actors.js';
import { startApp, type TestApp } from '../../support/app.js';
import { attackersKey, decode, encode, es256, flipBit, genuineKey, publicUrl, type Members } from '../forge.js';

describe('access tokens cannot be forged (OWASP API2, RFC 8725, ASVS V9) [ASVS 7.2.1]', () => {
  let app: TestApp;
  let alice: Actor;
  let header: Members;
  let payload: Members;

  beforeAll(async () => {
    app = await startApp();
    alice = await signUp(app, 'alice');
    ({ header, payload } = decode(alice.token));
  });
  afterAll(() => app.close());

  const present = async (token: string) => (await app.request('GET', '/v1/users/me', { token })).status;
  /** Signed with the service's own key: only the checks of header and claims stand in the way. */
  const genuine = (changedHeader: Members, changedPayload: Members) =>
    es256(genuineKey(app), { ...header, ...changedHeader }, { ...payload, ...changedPayload });
  const now = () => Math.floor(app.clock.now().getTime() / 1000);

  it('an honest token passes, and so does the same token made again by the test', async () => {
    expect(await present(alice.token)).toBe(200);
    expect(await present(genuine({}, {}))).toBe(200);
  });

  it('holds no personal data and no roles, and lives five minutes [ASVS 14.3.3]', () => {
    expect(Object.keys(payload).toSorted()).toEqual([
      'acr',
      'amr',
      'aud',
      'auth_time',
      'exp',
      'iat',
      'iss',
      'jti',
      'sid',
      'sub',
    ]);
    expect(Number(payload['exp']) - Number(payload['iat'])).toBe(300);
    expect(header).toEqual({ alg: 'ES256', typ: 'at+jwt', kid: header['kid'] });
  });

  it.each(['none', 'None', 'NONE', 'nOnE', ''])(
    'signs with alg "%s", no signature: 401 [A2-3] [ASVS 9.1.2]',
    async (alg) => {
      const unsigned = `${encode({ ...header, alg })}.${encode(payload)}.`;
      expect(await present(unsigned)).toBe(401);
      expect(await present(`${unsigned}${alice.token.split('.')[2]}`)).toBe(401);
    },
  );

  it.each(['pem', 'der', 'jwk'])(
    'signs HS256 with the public key (%s) as secret: 401 [A2-3] [ASVS 9.1.2]',
    async (form) => {
      const { publicKey } = await import('node:crypto').then(({ createPublicKey }) => ({
        publicKey: createPublicKey(genuineKey(app)),
      }));
      const secrets: Record<string, string | Buffer> = {
        pem: publicKey.export({ type: 'spki', format: 'pem' }),
        der: publicKey.export({ type: 'spki', format: 'der' }),
        jwk: JSON.stringify(publicKey.export({ format: 'jwk' })),
      };
      const input = `${encode({ ...header, alg: 'HS256' })}.${encode(payload)}`;
      const mac = createHmac('sha256', secrets[form] ?? '')
        .update(input)
        .digest('base64url');
      expect(await present(`${input}.${mac}`)).toBe(401);
    },
  );

  it.each([{ typ: 'JWT' }, { typ: undefined }, { typ: 'AT+JWT' }, { typ: 'id_token+jwt' }])(
    'has another type, %o: 401 [A2-3] [ASVS 9.2.2]',
    async (changed) => expect(await present(genuine(changed, {}))).toBe(401),
  );

  it.each([
    '0190a5d0-0000-7000-8000-000000000000',
    '../../../../dev/null',
    `' OR '1'='1`,
    'https://evil.example/key',
    undefined,
  ])('names the key %s: 401 [A2-3] [ASVS 9.1.3]', async (kid) => {
    expect(await present(es256(attackersKey().privateKey, { ...header, kid }, payload))).toBe(401);
    expect(await present(genuine({ kid }, {}))).toBe(401);
  });

  it('signs with a key of the attacker: 401 [A2-3] [ASVS 9.1.1]', async () => {
    expect(await present(es256(attackersKey().privateKey, header, payload))).toBe(401);
    await app.auditEvent('authn_token_fail', ({ details }) => (details as Members)['reason'] === 'signature');
  });

  it('writes the signature a second way, (r, n - s): 401, there is one spelling [A2-3] [ASVS 9.1.1]', async () => {
    const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
    for (let round = 0; round < 8; round++) {
      const token = genuine({}, { jti: String(round) });
      const [head, body, text = ''] = token.split('.');
      const signature = Buffer.from(text, 'base64url');
      const s = (order - BigInt(`0x${signature.toString('hex', 32)}`)).toString(16).padStart(64, '0');
      const second = Buffer.concat([signature.subarray(0, 32), Buffer.from(s, 'hex')]).toString('base64url');
      expect([await present(token), await present(`${head}.${body}.${second}`)]).toEqual([200, 401]);
    }
  });

  it('brings its own key as jwk, jku, x5u or x5c: 401, and nobody fetches it [A2-3] [ASVS 9.1.3]', async () => {
    const key = attackersKey();
    const jwk = key.publicKey.export({ format: 'jwk' });
    let fetched = 0;
    const server = createServer((_, response) => {
      fetched += 1;
      response.end(JSON.stringify({ keys: [jwk] }));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    for (const extra of [{ jwk }, { jku: url }, { x5u: url }, { x5c: ['MIIB'] }]) {
      expect(await present(es256(key.privateKey, { ...header, ...extra }, payload))).toBe(401);
      expect(await present(genuine(extra, {}))).toBe(401);
    }
    server.close();
    expect(fetched).toBe(0);
  });

  it('demands a critical extension: 401 [A2-3] [ASVS 9.1.2]', async () =>
    expect(await present(genuine({ crit: ['b64'], b64: false }, {}))).toBe(401));

  it.each([
    ['another issuer', () => ({ iss: 'https://evil.example' })],
    ['no issuer', () => ({ iss: undefined })],
    ['another audience', () => ({ aud: 'https://other.example' })],
    ['a longer audience', () => ({ aud: `${publicUrl(app)}.evil.example` })],
    ['a list of other audiences', () => ({ aud: ['https://other.example'] })],
    ['no audience', () => ({ aud: undefined })],
  ])('has %s: 401 [A2-3] [ASVS 9.2.3]', async (_, changed) => expect(await present(genuine({}, changed()))).toBe(401));

  it.each([
    ['no end', () => ({ exp: undefined })],
    ['an end that is text', () => ({ exp: '9999999999' })],
    ['an end in the past', () => ({ exp: now() - 1 })],
    ['a beginning in the future', () => ({ nbf: now() + 60 })],
    ['been issued in the future', () => ({ iat: now() + 60 })],
    ['no issue time', () => ({ iat: undefined })],
  ])('has %s: 401 [A2-3] [ASVS 9.2.1]', async (_, changed) => expect(await present(genuine({}, changed()))).toBe(401));

  it.each([
    ['no session', { sid: undefined }],
    ['a session that is no id', { sid: `' OR true --` }],
    ['no subject', { sub: undefined }],
    ['no token id', { jti: undefined }],
  ])('has %s: 401 [A2-3] [ASVS 9.1.1]', async (_, changed) => expect(await present(genuine({}, changed))).toBe(401));

  it('pairs the session of one user with the id of another: 401 [A2-3]', async () => {
    const bob = await signUp(app, 'bob');
    expect(await present(genuine({}, { sub: bob.userId }))).toBe(401);
  });

  it('says a claim twice: 401, whichever of the two a reader would take [A2-3] [ASVS 15.3.6]', async () => {
    const text = JSON.stringify(payload);
    const twice = `${text.slice(0, -1)},"sub":${JSON.stringify(payload['sub'])}}`;
    expect(await present(es256(genuineKey(app), header, twice))).toBe(401);
  });

  it.each([0, 1, 2])(
    'flips a bit in part %i: 401, also after the true token was seen [A2-3] [ASVS 9.1.1]',
    async (index) => {
      expect(await present(alice.token)).toBe(200);
      expect(
        await present(
          alice.token
            .split('.')
            .with(index, flipBit(alice.token.split('.')[index]!))
            .join('.'),
        ),
      ).toBe(401);
    },
  );

  it('spells the signature in another way: 401, one token has one spelling [A2-3]', async () => {
    const last = alice.token.at(-1)!;
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const respelled = alice.token.slice(0, -1) + alphabet[alphabet.indexOf(last) + 1];
    expect(Buffer.from(respelled.split('.')[2]!, 'base64url')).toEqual(
      Buffer.from(alice.token.split('.')[2]!, 'base64url'),
    );
    expect(await present(respelled)).toBe(401);
    expect(await present(`${alice.token}=`)).toBe(401);
  });

  it('sends the JSON serialization: 401 [A2-3] [ASVS 9.1.2]', async () => {
    const [part, body, signature] = alice.token.split('.');
    expect(await present(JSON.stringify({ protected: part, payload: body, signature }))).toBe(401);
  });

  it('sends a refresh token as access token: 401 [ASVS 9.2.2]', async () =>
    expect(await present(alice.refreshToken)).toBe(401));

  it('sends a token that was good a moment ago, after its end: 401 [ASVS 9.2.1]', async () => {
    expect(await present(alice.token)).toBe(200);
    app.clock.advance(301);
    expect(await present(alice.token)).toBe(401);
  });
});
