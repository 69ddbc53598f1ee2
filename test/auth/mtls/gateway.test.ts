import { Agent } from 'node:https';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RequestParts } from '../../support/http.js';
import { ClientAuthority, dns, serverOnly, uri, type ClientPair } from './client-authority.js';
import { gatewayName, machineUri, MtlsApp } from './mtls-app.js';

describe('machines by what a gateway saw: Client-Cert, RFC 9440 [practice 2.2] [ASVS 12.3.5]', () => {
  let mtls: MtlsApp;
  let honest: string;
  /** Over a connection of whoever has that certificate; null for nobody's. */
  const call = (by: ClientPair | null, field: string | string[] | undefined, parts: RequestParts = {}) =>
    mtls.app.request('GET', mtls.path, {
      ...parts,
      ...(by && { certificate: by }),
      headers: { ...parts.headers, ...(field !== undefined && { 'client-cert': field }) },
    });

  beforeAll(async () => {
    mtls = await MtlsApp.start();
    honest = mtls.machine.field;
  });
  afterAll(() => mtls.close());

  it('a gateway that proves who it is forwards the certificate of a machine: 200', async () =>
    expect((await call(mtls.gateway, honest)).status).toBe(200));

  it('sends the field without a certificate: 401 and an audit event, with a valid access token too', async () => {
    expect((await call(null, honest)).status).toBe(401);
    expect((await call(null, honest, { token: mtls.alice.token })).status).toBe(401);
    expect((await call(null, undefined, { headers: { 'client-cert-chain': honest } })).status).toBe(401);
    await mtls.refusal('forwarded');
  });

  it('sends the field on a public route: refused there too', async () => {
    const { email, password } = mtls.alice;
    const headers = { 'client-cert': honest };
    expect((await mtls.app.request('POST', '/v1/auth/login', { headers, body: { email, password } })).status).toBe(401);
  });

  it('is a machine itself, and sends the certificate of another: 401, it is no gateway', async () => {
    const other = await mtls.authority.issue({ names: [uri('spiffe://example.org/other')] });
    expect((await call(other, honest)).status).toBe(401);
    expect((await call(mtls.machine, other.field)).status).toBe(401);
    expect((await call(mtls.machine, honest)).status).toBe(401);
  });

  it('has the name of the gateway from another CA, from itself, or for servers only: 401', async () => {
    const names = [dns(gatewayName)];
    const foreign = await ClientAuthority.create('CN=Another CA');
    expect((await call(await foreign.issue({ names }), honest)).status).toBe(401);
    await mtls.refusal('issuer');
    expect((await call(await mtls.authority.issue({ names, usages: serverOnly }), honest)).status).toBe(401);
    await mtls.refusal('purpose');
  });

  it('a gateway without the field speaks for people: their token counts, and nobody is no machine', async () => {
    expect((await call(mtls.gateway, undefined, { token: mtls.alice.token })).status).toBe(200);
    expect((await call(mtls.gateway, undefined)).status).toBe(401);
  });

  it('a gateway that does not count any more speaks for nobody, not for people either', async () => {
    const from = new Date(Date.now() - 3 * 3600_000);
    const to = new Date(Date.now() - 3600_000);
    const late = await mtls.authority.issue({ names: [dns(gatewayName)], from, to });
    expect((await call(late, undefined, { token: mtls.alice.token })).status).toBe(401);
    await mtls.refusal('expired');
  });

  it('forwards a certificate beside an access token: 400 [A2-8]', async () => {
    expect((await call(mtls.gateway, honest, { token: mtls.alice.token })).status).toBe(400);
    await mtls.refusal('several');
  });

  it('forwards a certificate of another CA, expired, for servers, of a CA, or of nobody known: 401', async () => {
    const names = [uri(machineUri)];
    const hoursAgo = (hours: number) => new Date(Date.now() - hours * 3600_000);
    const refused: [string, ClientPair][] = [
      ['issuer', await (await ClientAuthority.create('CN=Clients of the tests')).issue({ names })],
      ['expired', await mtls.authority.issue({ names, from: hoursAgo(3), to: hoursAgo(2) })],
      ['not-yet-valid', await mtls.authority.issue({ names, from: hoursAgo(-2), to: hoursAgo(-3) })],
      ['purpose', await mtls.authority.issue({ names, usages: serverOnly })],
      ['purpose', await mtls.authority.asClient()],
      ['unknown', await mtls.authority.issue({ names: [uri('spiffe://example.org/nobody')] })],
      ['unknown', mtls.gateway],
    ];
    for (const [reason, { field }] of refused) {
      expect([reason, (await call(mtls.gateway, field)).status]).toEqual([reason, 401]);
      await mtls.refusal(reason);
    }
  });

  it('writes the field in another way: 401 for each, one certificate has one spelling [RFC 8941]', async () => {
    const base64 = honest.slice(1, -1);
    const fields = [
      '',
      base64,
      `:${base64}`,
      `${honest}, ${honest}`,
      `${honest};a=1`,
      `:${base64.slice(0, -4)}:`,
      `:${base64}AAAA:`,
      `:${base64.replaceAll('+', '-').replaceAll('/', '_')}!:`,
      `:${Buffer.concat([mtls.machine.der, Buffer.from([0])]).toString('base64')}:`,
      encodeURIComponent(mtls.machine.cert),
      `:${Buffer.from(mtls.machine.cert).toString('base64')}:`,
    ];
    for (const field of fields) expect([field, (await call(mtls.gateway, field)).status]).toEqual([field, 401]);
    expect((await call(mtls.gateway, [honest, honest])).status).toBe(401);
    expect((await call(mtls.gateway, undefined, { headers: { 'client-cert-chain': honest } })).status).toBe(401);
    await mtls.refusal('malformed');
  });

  it('many clients of one gateway share its connection: none of them is taken for the one before', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const nobody = (await mtls.authority.issue()).field;
    const statuses: number[] = [];
    for (const field of [honest, undefined, nobody, honest, undefined])
      statuses.push((await call(mtls.gateway, field, { agent })).status);
    expect(statuses).toEqual([200, 401, 401, 200, 401]);
    agent.destroy();
  });
});
