import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signIn, signUp, type Actor } from '../../support/actors.js';
import { startApp, type TestApp } from '../../support/app.js';
import { attackersKey, decode, es256 } from '../forge.js';

describe('a token that crossed the wire in clear is worth nothing any more (practice 1.3)', () => {
  let app: TestApp;
  let alice: Actor;

  beforeAll(async () => {
    app = await startApp();
    alice = await signUp(app, 'alice');
  });
  afterAll(() => app.close());

  const sendInClear = (credential: string) =>
    new Promise<number | undefined>((resolve, reject) => {
      const { http: port } = app.on(0).addresses;
      const options = {
        host: '127.0.0.1',
        port,
        path: '/v1/users/me',
        headers: { authorization: `Bearer ${credential}` },
      };
      request(options, (response) => resolve(response.resume().statusCode))
        .on('error', reject)
        .end();
    });
  const me = async (token: string) => (await app.request('GET', '/v1/users/me', { token })).status;

  it.each(['token', 'refreshToken'] as const)(
    'sends the %s by plain HTTP: refused, and its session ends [practice 1.3]',
    async (kind) => {
      const tokens = await signIn(app, alice);
      expect(await sendInClear(tokens[kind])).toBe(403);
      await expect.poll(() => me(tokens.token)).toBe(401);
      const { sid } = decode(tokens.token).payload;
      await app.auditEvent(
        'authn_credential_in_clear',
        ({ target_id, actor_id }) => target_id === sid && actor_id === alice.userId,
      );
    },
  );

  it('sends a made-up token with the session of somebody else: that session lives on [practice 1.3]', async () => {
    const tokens = await signIn(app, alice);
    const { header, payload } = decode(tokens.token);
    await sendInClear(es256(attackersKey().privateKey, header, payload));
    await sendInClear(`${tokens.token.split('.', 2).join('.')}.AAAA`);
    await sendInClear('a.b.c');
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(await me(tokens.token)).toBe(200);
  });
});
