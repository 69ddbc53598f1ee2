import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { anyEmail, signUp, type Actor } from '../../support/actors.js';
import { startApp, type TestApp } from '../../support/app.js';
import { Authority } from '../../support/tls-servers.js';
import { anyPublicUrl, anySubject, Browser, link } from './browser.js';
import { FakeProvider } from './fake-provider.js';

describe('identities that people link to their accounts [practice 2.1] [ASVS 6.8.1]', () => {
  let authority: Authority;
  let provider: FakeProvider;
  let app: TestApp;
  let ann: Actor;
  let eve: Actor;
  let subject: string;

  beforeAll(async () => {
    authority = await Authority.create();
    provider = await FakeProvider.start(authority);
    app = await startApp({
      env: {
        PUBLIC_URL: anyPublicUrl(),
        OIDC_IDP_ISSUER: provider.issuer,
        OIDC_IDP_CLIENT_ID: 'the-service',
        OIDC_IDP_CLIENT_SECRET: 'not-a-secret',
        OIDC_IDP_LABEL: 'Our staff',
        OIDC_IDP_SIGN_UP: 'verified-email',
        EGRESS_ALLOW_PRIVATE_HOSTS: provider.host,
        EGRESS_CA_FILE: authority.caFile,
      },
    });
  });
  beforeEach(async () => {
    [ann, eve] = [await signUp(app, 'ann'), await signUp(app, 'eve')];
    subject = anySubject();
    provider.reset({ sub: subject, email: ann.email, email_verified: true });
  });
  afterAll(async () => {
    await app.close();
    await provider.close();
    authority.remove();
  });

  const linkTo = (browser: Browser, token: string) => link(browser, 'idp', token, async (page) => provider.visit(page));
  const signIn = async () => {
    const browser = new Browser(app);
    const landed = await browser.callback('idp', provider.visit(await browser.start('idp')));
    return landed.status === 303 ? browser.finish() : landed;
  };
  const rows = (userId: string) =>
    app.sql<{ id: string }>('SELECT id FROM federated_identities WHERE user_id = $1', [userId]);
  const me = async (token: string) => (await app.request('GET', '/v1/users/me', { token })).body as { id: string };

  it('lists the providers for whoever comes', async () => {
    expect((await app.request('GET', '/v1/auth/oidc/providers')).body).toEqual({
      items: [{ name: 'idp', label: 'Our staff' }],
    });
  });

  it('links one: it is listed without its subject, mailed, recorded, and the other sessions end', async () => {
    const { body } = await app.request('POST', '/v1/auth/login', {
      body: { email: ann.email, password: ann.password },
    });
    expect((await linkTo(new Browser(app), ann.token)).status).toBe(303);
    const list = await app.request('GET', '/v1/auth/oidc/identities', { token: ann.token });
    expect(list.body).toMatchObject({ items: [{ provider: 'idp', email: ann.email, lastUsedAt: null }] });
    expect(list.text).not.toContain(subject);
    // With: notices.
    expect((await app.mailTo(ann.email, 'Another service can sign you in')).text).toContain('idp');
    expect(await app.auditEvent('authn_identity_linked')).toMatchObject({
      actor_id: ann.userId,
      target_id: ann.userId,
    });
    expect((await app.request('GET', '/v1/users/me', { token: body.accessToken as string })).status).toBe(401);
    expect((await me((await signIn()).body.accessToken as string)).id).toBe(ann.userId);
  });

  it('an old session links nothing: the proof has to be fresh [ASVS 7.5.1]', async () => {
    app.clock.advance(6 * 60);
    const refreshed = await app.request('POST', '/v1/auth/refresh', { body: { refreshToken: ann.refreshToken } });
    const token = refreshed.body.accessToken as string;
    const answer = await app.request('POST', '/v1/auth/oidc/idp/link', { token, body: {} });
    expect([answer.status, answer.body.type]).toEqual([401, '/problems/step-up-required']);
    expect(answer.headers['set-cookie']).toBeUndefined();
    // The clock of the provider stands where it stood.
    app.clock.advance(-6 * 60);
  });

  it("gives a victim the page of a link that the attacker began: the victim's identity is not linked", async () => {
    const attacker = new Browser(app);
    const begun = await attacker.request('POST', '/v1/auth/oidc/idp/link', { token: eve.token, body: {} });
    const search = provider.visit(new URL(begun.body.url as string));
    expect((await new Browser(app).callback('idp', search)).status).toBe(400);
    expect(await rows(eve.userId)).toEqual([]);
  });

  it('the session that began the link was ended meanwhile: nothing is linked', async () => {
    const browser = new Browser(app);
    const begun = await browser.request('POST', '/v1/auth/oidc/idp/link', { token: ann.token, body: {} });
    await app.request('POST', '/v1/auth/logout', { token: ann.token });
    const search = provider.visit(new URL(begun.body.url as string));
    expect((await browser.callback('idp', search)).status).toBe(401);
    expect(await rows(ann.userId)).toEqual([]);
  });

  it('an identity that is linked to somebody: 409 for everybody else, and it stays where it is', async () => {
    await linkTo(new Browser(app), ann.token);
    expect((await linkTo(new Browser(app), eve.token)).status).toBe(409);
    expect(await rows(eve.userId)).toEqual([]);
    provider.claims = { ...provider.claims, sub: anySubject() };
    expect((await linkTo(new Browser(app), ann.token)).status).toBe(409);
    expect(await rows(ann.userId)).toHaveLength(1);
  });

  it("takes away somebody else's: 404, and it stays [A1-7]", async () => {
    await linkTo(new Browser(app), ann.token);
    const [{ id } = { id: '' }] = await rows(ann.userId);
    const answer = await app.request('DELETE', `/v1/auth/oidc/identities/${id}`, { token: eve.token });
    expect(answer.status).toBe(404);
    expect(await rows(ann.userId)).toHaveLength(1);
  });

  it('takes its own away: it signs nobody in any more, and its owner is told', async () => {
    await linkTo(new Browser(app), ann.token);
    const [{ id } = { id: '' }] = await rows(ann.userId);
    const browser = new Browser(app);
    await browser.callback('idp', provider.visit(await browser.start('idp')));
    expect((await app.request('DELETE', `/v1/auth/oidc/identities/${id}`, { token: ann.token })).status).toBe(204);
    // What was proved before does not count either.
    expect((await browser.finish()).status).toBe(400);
    expect((await signIn()).status).toBe(409);
    // With: notices.
    expect((await app.mailTo(ann.email, 'no longer signs you in')).text).toContain('idp');
  });

  // With: recovery.
  it('the last way to sign in stays; with a password it may go', async () => {
    const email = anyEmail();
    provider.reset({ sub: anySubject(), email, email_verified: true });
    const { accessToken: token } = (await signIn()).body as { accessToken: string };
    const { id: userId } = await me(token);
    const [{ id } = { id: '' }] = await rows(userId);
    const refused = await app.request('DELETE', `/v1/auth/oidc/identities/${id}`, { token });
    expect([refused.status, await rows(userId)]).toEqual([409, [{ id }]]);
    await app.request('POST', '/v1/auth/password/forgot', { body: { email } });
    await app.mailQuiet();
    const mail = await app.mailTo(email, '');
    const reset = /\b[0-9a-f]{96}\b/.exec(mail.text)?.[0];
    const password = 'a brass lantern over nine bridges';
    expect((await app.request('POST', '/v1/auth/password/reset', { body: { token: reset, password } })).status).toBe(
      204,
    );
    const again = await app.request('POST', '/v1/auth/login', { body: { email, password } });
    expect(again.status).toBe(200);
    const gone = await app.request('DELETE', `/v1/auth/oidc/identities/${id}`, {
      token: again.body.accessToken as string,
    });
    expect(gone.status).toBe(204);
  });

  it('plants an identity by SQL, or moves one to an administrator: it opens nothing', async () => {
    await linkTo(new Browser(app), ann.token);
    const [{ id } = { id: '' }] = await rows(ann.userId);
    await app.sql('UPDATE federated_identities SET user_id = $2 WHERE user_id = $1', [ann.userId, eve.userId]);
    const answer = await signIn();
    expect(answer.status).toBe(500);
    expect(await app.auditEvent('crypt_decrypt_fail')).toMatchObject({ target_id: id });
    await app.sql('DELETE FROM federated_identities WHERE user_id = $1', [eve.userId]);
  });

  it('a password that has to be reset keeps the identity out too, and so does a lock', async () => {
    await linkTo(new Browser(app), ann.token);
    await app.sql('UPDATE password_credentials SET reset_due_at = now() WHERE user_id = $1', [ann.userId]);
    expect((await signIn()).status).toBe(400);
    await app.sql('UPDATE password_credentials SET reset_due_at = NULL WHERE user_id = $1', [ann.userId]);
    expect((await signIn()).status).toBe(200);
    await app.operate(`UPDATE users SET status = 'disabled' WHERE id = $1`, [ann.userId]);
    expect((await signIn()).status).toBe(401);
  });

  it('is in the export, and goes with the account', async () => {
    await linkTo(new Browser(app), ann.token);
    const exported = await app.request('GET', '/v1/users/me/export', { token: ann.token });
    expect(exported.body.federatedIdentities).toMatchObject([{ provider: 'idp', email: ann.email }]);
    expect((await app.request('DELETE', '/v1/users/me', { token: ann.token })).status).toBe(204);
    expect(await rows(ann.userId)).toEqual([]);
  });
});
