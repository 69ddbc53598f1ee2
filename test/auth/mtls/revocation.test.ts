import { Agent } from 'node:https';
import { Extension } from '@peculiar/x509';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RequestParts } from '../../support/http.js';
import { ClientAuthority, dns, uri, type ClientPair } from './client-authority.js';
import { gatewayName, machineUri, MtlsApp } from './mtls-app.js';

describe('certificates that were revoked, without a restart [practice 2.2] [ASVS 12.3.5]', () => {
  let mtls: MtlsApp;
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const status = async (certificate: ClientPair, parts: RequestParts = {}) =>
    (await mtls.app.request('GET', mtls.path, { certificate, ...parts })).status;
  const list = async (revoked: readonly ClientPair[], hours?: number) =>
    mtls.replace({ 'ca.crl': await mtls.authority.list(revoked, hours) });
  const issue = () => mtls.authority.issue({ names: [uri(machineUri)] });

  beforeAll(async () => {
    mtls = await MtlsApp.start({ withList: true });
  });
  afterAll(async () => {
    agent.destroy();
    await mtls.close();
  });

  it('is revoked: 401 on the open connection as on a new one; other certificates of the machine live on', async () => {
    const stolen = await issue();
    expect(await status(stolen, { agent })).toBe(200);
    await list([stolen], -0.9);
    expect(await status(stolen, { agent })).toBe(401);
    expect(await status(stolen)).toBe(401);
    await mtls.refusal('revoked');
    expect(await status(mtls.machine)).toBe(200);
  });

  it('is revoked, and a gateway forwards it: 401; a revoked gateway speaks for nobody', async () => {
    const stolen = await issue();
    const gateway = await mtls.authority.issue({ names: [dns(gatewayName)] });
    const by = (one: ClientPair, { field }: ClientPair) => status(one, { headers: { 'client-cert': field } });
    expect([await by(gateway, stolen), await by(gateway, mtls.machine)]).toEqual([200, 200]);
    await list([stolen, gateway], -0.8);
    expect([await by(mtls.gateway, stolen), await by(mtls.gateway, mtls.machine)]).toEqual([401, 200]);
    expect(await by(gateway, mtls.machine)).toBe(401);
    expect(await status(gateway, { token: mtls.alice.token })).toBe(401);
  });

  it('puts an older list back, or one of another CA, a delta, rubbish or nothing: the list in use stays', async () => {
    const stolen = await issue();
    await list([stolen], -0.7);
    const foreign = await ClientAuthority.create('CN=Clients of the tests');
    const delta = new Extension('2.5.29.27', true, Uint8Array.from([2, 1, 1]));
    const both = (await mtls.authority.list([], -0.5)) + (await mtls.authority.list([], -0.6));
    for (const text of [
      await mtls.authority.list([], -2),
      await foreign.list([], -0.5),
      await mtls.authority.list([], -0.5, [delta]),
      both,
      'rubbish',
      '',
    ]) {
      await mtls.replace({ 'ca.crl': text }, true);
      expect(await status(stolen)).toBe(401);
      expect(await status(mtls.machine)).toBe(200);
    }
    await mtls.app.auditEvent('sys_error', ({ details }) => JSON.stringify(details).includes('refused'));
  });

  it('keeps the next list away: from the day that it was due, no certificate counts; people do', async () => {
    await list([], -0.4);
    const lasting = await mtls.authority.issue({ names: [uri(machineUri)], to: new Date(Date.now() + 72 * 3600_000) });
    expect(await status(lasting, { agent })).toBe(200);
    mtls.app.clock.advance(24 * 3600);
    try {
      expect([await status(lasting, { agent }), await status(lasting)]).toEqual([401, 401]);
      const { email, password } = mtls.alice;
      expect((await mtls.app.request('POST', '/v1/auth/login', { body: { email, password } })).status).toBe(200);
      await mtls.refusal('not-checkable');
    } finally {
      mtls.app.clock.advance(-24 * 3600);
    }
    expect(await status(lasting)).toBe(200);
  });

  it('is taken out of the mapping, or loses a scope: it acts on the open connection', async () => {
    expect(await status(mtls.machine, { agent })).toBe(200);
    await mtls.map(mtls.entry({ scopes: [] }));
    expect(await status(mtls.machine, { agent })).toBe(403);
    await mtls.map(mtls.entry({ certificate: { uri: 'spiffe://example.org/another' } }));
    expect(await status(mtls.machine, { agent })).toBe(401);
    await mtls.map();
    expect(await status(mtls.machine, { agent })).toBe(200);
  });

  it('the mapping is broken while the service runs: the one in use stays', async () => {
    await mtls.replace({ 'machines.json': '{ "machines": [ {} ] }' }, true);
    expect(await status(mtls.machine)).toBe(200);
    await mtls.map();
  });

  it('the CA is replaced: what the old one signed is out, on the open connection too', async () => {
    const next = await ClientAuthority.create('CN=Next');
    const renewed = await next.issue({ names: [uri(machineUri)] });
    expect([await status(mtls.machine, { agent }), await status(renewed)]).toEqual([200, 401]);
    await mtls.replace({ 'ca.crt': next.pem, 'ca.crl': await next.list() });
    expect([await status(mtls.machine, { agent }), await status(mtls.machine), await status(renewed)]).toEqual([
      401, 401, 200,
    ]);
  });
});
