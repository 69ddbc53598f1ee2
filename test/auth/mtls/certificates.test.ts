import { Agent } from 'node:https';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Conformance } from '../../api-docs/answer-check.js';
import { signUp } from '../../support/actors.js';
import type { RequestParts } from '../../support/http.js';
import { ClientAuthority, dns, serverOnly, uri, type ClientPair } from './client-authority.js';
import { gatewayName, machineUri, MtlsApp } from './mtls-app.js';

describe('machines by the certificate of their connection [practice 2.2] [ASVS 12.3.5] [ASVS 13.2.1]', () => {
  let mtls: MtlsApp;
  const hour = 60 * 60 * 1000;
  const inHours = (hours: number) => new Date(Date.now() + hours * hour);
  const call = (certificate?: ClientPair, parts: RequestParts = {}) =>
    mtls.app.request('GET', mtls.path, { ...parts, ...(certificate && { certificate }) });
  const named = { names: [uri(machineUri)] };

  /** The answer is 401, tells nothing, and the audit trail has the reason; nothing was read. */
  async function expectRefused(certificate: ClientPair, reason: string): Promise<void> {
    const { status, text } = await call(certificate);
    expect(status).toBe(401);
    expect(text).not.toContain(mtls.alice.userId);
    await mtls.refusal(reason);
  }

  beforeAll(async () => {
    mtls = await MtlsApp.start();
  });
  afterAll(() => mtls.close());

  it('an honest machine reads what its owner has, and the log and the audit trail name it', async () => {
    expect((await call(mtls.machine)).status).toBe(200);
    const refused = await mtls.app.request('POST', '/v1/samples', {
      certificate: mtls.machine,
      body: { title: 't', body: 'b' },
    });
    expect(refused.status).toBe(403);
    const event = await mtls.app.auditEvent('authz_fail', (row) => row['machine_id'] === mtls.machineId);
    expect(event).toMatchObject({ actor_kind: 'machine', actor_id: mtls.alice.userId });
    // With: logging.
    expect(mtls.app.logs()).toContainEqual(expect.objectContaining({ 'machine.id': mtls.machineId }));
  });

  it('people without a certificate connect as ever: by their session, and to sign in', async () => {
    expect((await call(undefined, { token: mtls.alice.token })).status).toBe(200);
    const { email, password } = mtls.alice;
    expect((await mtls.app.request('POST', '/v1/auth/login', { body: { email, password } })).status).toBe(200);
    expect((await call()).status).toBe(401);
  });

  it('shows a certificate that is mapped to nobody: 401 and an audit event, on public routes too', async () => {
    const unknown = await mtls.authority.issue({ names: [uri(`${machineUri}-2`), dns('analyser')] });
    await expectRefused(unknown, 'unknown');
    const { email, password } = mtls.alice;
    const login = { body: { email, password }, certificate: unknown };
    expect((await mtls.app.request('POST', '/v1/auth/login', login)).status).toBe(401);
  });

  it('shows one with the name of a machine, of another CA: 401', async () =>
    expectRefused(await (await ClientAuthority.create('CN=Another CA')).issue(named), 'issuer'));

  it('shows one of another CA that has the same name: 401, the signature decides', async () =>
    expectRefused(await (await ClientAuthority.create('CN=Clients of the tests')).issue(named), 'issuer'));

  it('shows one that it signed itself: 401', async () => {
    const own = await ClientAuthority.create('CN=client');
    await expectRefused(await own.asClient(), 'issuer');
  });

  it('brings a CA along that the configured one has signed: 401, only those of the file count', async () => {
    const below = await ClientAuthority.create('CN=Below', mtls.authority);
    const leaf = await below.issue(named);
    await expectRefused({ ...leaf, cert: leaf.cert + below.pem }, 'issuer');
  });

  it('shows one of a CA that the CA above did not allow to be one: 401, OpenSSL counts too', async () => {
    const root = await ClientAuthority.create('CN=Root', undefined, { pathLength: 0 });
    const below = await ClientAuthority.create('CN=Below', root);
    await mtls.replace({ 'ca.crt': mtls.authority.pem + root.pem + below.pem });
    expect((await call(await root.issue(named))).status).toBe(200);
    const leaf = await below.issue(named);
    await expectRefused({ ...leaf, cert: leaf.cert + below.pem }, 'issuer');
    await mtls.replace({ 'ca.crt': mtls.authority.pem });
  });

  it('shows one that has expired, or does not count yet: 401', async () => {
    await expectRefused(await mtls.authority.issue({ ...named, from: inHours(-3), to: inHours(-2) }), 'expired');
    await expectRefused(await mtls.authority.issue({ ...named, from: inHours(2), to: inHours(3) }), 'not-yet-valid');
  });

  it('shows one for servers, for nothing in particular, or of a CA: 401, the purpose is wrong', async () => {
    await expectRefused(await mtls.authority.issue({ ...named, usages: serverOnly }), 'purpose');
    await expectRefused(await mtls.authority.issue({ ...named, usages: [] }), 'purpose');
    await expectRefused(await mtls.authority.asClient(), 'purpose');
  });

  it('shows one that has the names of two machines, or of a machine and a gateway: 401, and no choice', async () => {
    const pinned = await mtls.authority.issue(named);
    const sha256 = (await import('node:crypto')).createHash('sha256').update(pinned.der).digest('hex');
    const second = { ...mtls.entry(), id: crypto.randomUUID(), certificate: { sha256 } };
    await mtls.map(mtls.entry(), second);
    await expectRefused(pinned, 'unknown');
    await expectRefused(await mtls.authority.issue({ names: [uri(machineUri), dns(gatewayName)] }), 'unknown');
    await mtls.map();
    expect((await call(pinned)).status).toBe(200);
  });

  it('sends a certificate and an access token, or the refresh cookie: 400 [A2-8]', async () => {
    const { status, body } = await call(mtls.machine, { token: mtls.alice.token });
    expect([status, body.type]).toEqual([400, '/problems/malformed-request']);
    // With: browser.
    expect((await call(mtls.machine, { headers: { cookie: '__Host-refresh=a.b' } })).status).toBe(400);
    expect((await call(mtls.machine, { headers: { authorization: 'Basic YTpi' } })).status).toBe(400);
    await mtls.refusal('several');
  });

  it('shows one that is no good beside a valid access token: refused, and never taken for the person', async () => {
    const foreign = await (await ClientAuthority.create('CN=Another CA')).issue(named);
    expect((await call(foreign, { token: mtls.alice.token })).status).toBe(400);
  });

  it('the owner is disabled, or nobody: the machine is out at once', async () => {
    const bob = await signUp(mtls.app, 'bob');
    const own = { id: crypto.randomUUID(), certificate: { uri: 'spiffe://example.org/bob' } };
    const certificate = await mtls.authority.issue({ names: [uri('spiffe://example.org/bob')] });
    await mtls.map(mtls.entry(), mtls.entry({ ...own, owner: bob.userId }));
    const list = async () => (await mtls.app.request('GET', '/v1/samples', { certificate })).status;
    expect(await list()).toBe(200);
    await mtls.app.operate(`UPDATE users SET status = 'disabled' WHERE id = $1`, [bob.userId]);
    mtls.app.clock.advance(3);
    expect(await list()).toBe(401);
    await mtls.map(mtls.entry(), mtls.entry({ ...own, owner: crypto.randomUUID() }));
    expect(await list()).toBe(401);
  });

  it('writes the role of an administrator into the row of the owner: 401, the seal is broken', async () => {
    const carol = await signUp(mtls.app, 'carol');
    const certificate = await mtls.authority.issue({ names: [uri('spiffe://example.org/carol')] });
    const own = { id: crypto.randomUUID(), certificate: { uri: 'spiffe://example.org/carol' }, owner: carol.userId };
    await mtls.map(mtls.entry(), mtls.entry(own));
    await mtls.app.sql(`UPDATE users SET roles = '{user,admin}' WHERE id = $1`, [carol.userId]);
    expect((await mtls.app.request('GET', '/v1/samples', { certificate })).status).toBe(401);
  });

  it('a certificate expires while its connection is open: 401 from then on', async () => {
    const brief = await mtls.authority.issue({ ...named, to: inHours(1) });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    expect((await call(brief, { agent })).status).toBe(200);
    mtls.app.clock.advance(2 * 3600);
    expect((await call(brief, { agent })).status).toBe(401);
    mtls.app.clock.advance(-2 * 3600);
    agent.destroy();
  });

  // With: api-docs.
  it('publishes the scheme at routes that are open to machines, and at no other', () => {
    const { paths, components } = Conformance.of(mtls.app.on(0).service).document;
    expect(components?.securitySchemes?.['mtls']).toMatchObject({ type: 'mutualTLS' });
    expect(paths['/v1/samples']?.get?.security).toContainEqual({ mtls: [] });
    expect(paths['/v1/users/me']?.get?.security).toEqual([{ bearer: [] }]);
  });
});
