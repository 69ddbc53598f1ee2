import type { FastifyRequest } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bearerToken } from '../../../src/auth/authentication/bearer-token.js';
import { CredentialRefused } from '../../../src/common/access/credential-refused.js';
import { signUp, type Actor } from '../../support/actors.js';
import { startApp, type TestApp } from '../../support/app.js';
import { flipBit } from '../forge.js';

describe('one credential per request, in one place (ASVS V14.2, RFC 6750)', () => {
  let app: TestApp;
  let alice: Actor;
  let bob: Actor;

  beforeAll(async () => {
    app = await startApp();
    alice = await signUp(app, 'alice');
    bob = await signUp(app, 'bob');
  });
  afterAll(() => app.close());

  it('sends no credential to a protected route: 401 with a challenge, and an audit event [practice 2.4]', async () => {
    const answer = await app.request('GET', '/v1/users/me');
    expect(answer).toMatchObject({ status: 401, body: { type: '/problems/unauthenticated' } });
    expect(answer.headers['www-authenticate']).toBe('Bearer');
    await app.auditEvent('authn_token_fail', ({ details }) => (details as { reason?: string }).reason === 'missing');
  });

  it('an honest caller may write the scheme in any case', async () =>
    expect(
      (await app.request('GET', '/v1/users/me', { headers: { authorization: `bearer ${alice.token}` } })).status,
    ).toBe(200));

  it('sends two Authorization headers: 400, whoever comes first [A2-8]', async () => {
    for (const authorization of [
      [alice.token, bob.token],
      [bob.token, alice.token],
      [alice.token, alice.token],
    ]) {
      const answer = await app.request('GET', '/v1/users/me', {
        headers: { Authorization: authorization.map((token) => `Bearer ${token}`) },
      });
      expect(answer.status).toBe(400);
    }
  });

  it('sends the token in the query, alone or beside the header: 400 [A2-8] [ASVS 14.2.1]', async () => {
    expect((await app.request('GET', `/v1/users/me?access_token=${alice.token}`)).status).toBe(400);
    expect((await app.request('GET', `/v1/users/me?access_token=${bob.token}`, { token: alice.token })).status).toBe(
      400,
    );
  });

  it('sends the token in a cookie or in the body: 400 [A2-8]', async () => {
    expect(
      (await app.request('GET', '/v1/users/me', { headers: { cookie: `access_token=${alice.token}` } })).status,
    ).toBe(400);
    const changed = await app.request('PATCH', '/v1/users/me', {
      token: alice.token,
      body: { name: 'X', access_token: bob.token },
    });
    expect(changed).toMatchObject({
      status: 400,
      body: { detail: 'Send one credential, in one Authorization header, and nowhere else.' },
    });
  });

  it('two Authorization headers reach the guard, past the rules of the listener: refused there too [A2-8]', () => {
    const twice = {
      headers: { authorization: `Bearer ${alice.token}` },
      raw: { rawHeaders: ['Authorization', 'a', 'authorization', 'b'] },
    };
    expect(() => bearerToken(twice as unknown as FastifyRequest)).toThrow(CredentialRefused);
  });

  it.each(['Basic YWxpY2U6c2VjcmV0', 'Bearer', 'Bearer ', 'Token abc', ''])('sends "%s": 401', async (authorization) =>
    expect((await app.request('GET', '/v1/users/me', { headers: { authorization } })).status).toBe(401),
  );

  it('sends a bad token to a public route: 401, a credential that is sent must be valid [practice 2.5]', async () => {
    expect((await app.request('GET', '/.well-known/jwks.json')).status).toBe(200);
    expect((await app.request('GET', '/.well-known/jwks.json', { token: alice.token })).status).toBe(200);
    expect((await app.request('GET', '/.well-known/jwks.json', { token: alice.token.slice(0, -1) })).status).toBe(401);
    const [header = '', payload = '', signature = ''] = alice.token.split('.');
    const forged = [header, payload, flipBit(signature)].join('.');
    expect((await app.request('GET', '/.well-known/jwks.json', { token: forged })).status).toBe(401);
  });

  it('reads the refusal: it is the same for every cause [practice 6.4]', async () => {
    const bodies = await Promise.all(
      [undefined, alice.refreshToken, `${alice.token}x`].map(async (token) => {
        const { body, headers } = await app.request('GET', '/v1/users/me', { token });
        return { ...body, requestId: '', challenge: headers['www-authenticate'] };
      }),
    );
    expect(new Set(bodies.map((body) => JSON.stringify(body))).size).toBe(1);
  });
});
