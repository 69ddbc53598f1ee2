import { connect } from 'node:tls';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readConfig } from '../../src/config/index.js';
import { ConfigurationError } from '../../src/config/config.js';
import { gatewaySettings } from '../../src/gateway/gateway.settings.js';
import { startApp, type TestApp } from '../support/app.js';
import { anyEmail } from '../support/actors.js';
import type { RequestParts } from '../support/http.js';
import { Authority } from '../support/tls-servers.js';
import { gatewayName, shown, Trust } from './edge.js';

let trust: Trust;
let other: Authority;
let app: TestApp;

beforeAll(async () => {
  [trust, other] = await Promise.all([Trust.create(), Authority.create()]);
  app = await startApp({ env: trust.env, instances: 1 });
});
afterAll(async () => {
  await app.close();
  trust.remove();
});

const email = anyEmail();
const register = (parts: RequestParts) => app.request('POST', '/v1/auth/register', { body: { email }, ...parts });
const mails = async () => (await app.sql('SELECT 1 FROM outgoing_mails')).length + app.outbox().length;
const names = (...values: string[]) => values.map((value) => ({ type: 'dns' as const, value }));

describe('a service that takes the requests of its gateway only [practice 9.4] [practice 11.2]', () => {
  it('without a certificate: no answer, and nothing happens', async () => {
    await expect(register({})).rejects.toThrow(/ECONNRESET|certificate required|alert|hang up/i);
    expect(await mails()).toBe(0);
  });

  it('with the name of the gateway from another CA: no answer, and nothing happens', async () => {
    const forged = shown(await other.issue('gateway', names(gatewayName)));
    await expect(register({ certificate: forged })).rejects.toThrow(/ECONNRESET|unknown|alert|hang up/i);
    expect(await mails()).toBe(0);
  });

  it('with another name, a wildcard, or the name as common name, from its CA: 403, an event, no effect', async () => {
    for (const [commonName, ...dns] of [
      ['x', 'other.internal'],
      ['x', '*.internal'],
      [gatewayName, 'other.internal'],
    ]) {
      const pair = shown(await trust.authority.issue(commonName ?? '', names(...dns)));
      const { status, body, headers } = await register({ certificate: pair });
      expect([status, body.type, headers['connection']]).toEqual([403, '/problems/forbidden', 'close']);
    }
    await app.auditEvent('authz_fail', ({ details }) => JSON.stringify(details).includes('not the gateway'));
    expect(await mails()).toBe(0);
  });

  // With: logging.
  it('the gateway itself is answered, and only its word counts for who the client is', async () => {
    const answer = await register({
      certificate: shown(trust.gateway),
      from: '127.0.0.1',
      headers: { 'x-forwarded-for': '192.0.2.7' },
    });
    expect(answer.status).toBe(202);
    expect(app.logText()).toContain('192.0.2.7');
    await app.mailTo(email);
  });

  it('a client whose handshake is refused has cost no request', async () => {
    const before = app.logs().length;
    const socket = connect({
      host: '127.0.0.1',
      port: app.on(0).addresses.https,
      servername: 'localhost',
      rejectUnauthorized: false,
    });
    socket.on('error', () => undefined);
    socket.write('GET /v1/users/me HTTP/1.1\r\nhost: localhost\r\n\r\n');
    let said = '';
    socket.on('data', (chunk: Buffer) => (said += chunk.toString()));
    await new Promise((closed) => socket.once('close', closed));
    expect([said, app.logs().length]).toEqual(['', before]);
  });
});

// With: mtls.
describe('a gateway and machines by certificate on one listener [practice 9.4] [practice 2.2]', () => {
  it('a machine that has the name of the gateway in its certificate is no gateway: 403', async () => {
    const machines = await Authority.create();
    const file = join(machines.directory, 'machines.json');
    writeFileSync(file, '{}');
    const env = { ...trust.env, MTLS_CA_FILE: machines.caFile, MTLS_MACHINES_FILE: file };
    const both = await startApp({ env, instances: 1 });
    try {
      const certificate = shown(await machines.issue('machine', names(gatewayName)));
      expect((await both.request('GET', '/v1/users/me', { certificate })).status).toBe(403);
    } finally {
      await both.close();
    }
  });
});

describe('a service that is told half of it does not start [practice 9.4]', () => {
  const faults = (changes: Record<string, string>): readonly string[] => {
    try {
      readConfig({ ...trust.env, ...changes });
      return [];
    } catch (error) {
      return (error as ConfigurationError).faults;
    }
  };

  it('each missing half is named, with the fix', () => {
    expect(faults({})).toEqual([]);
    expect(faults({ GATEWAY_CA_FILE: '' })).toEqual([
      'GATEWAY_CA_FILE: set it too: GATEWAY_NAME alone keeps nobody out',
    ]);
    expect(faults({ GATEWAY_NAME: '' })).toEqual([expect.stringMatching(/^GATEWAY_NAME: set it too/)]);
    expect(faults({ TRUSTED_PROXIES: '' })).toEqual([
      expect.stringMatching(/^TRUSTED_PROXIES: set it to the addresses/),
    ]);
    expect(faults({ GATEWAY_NAME: '*.internal' })).toEqual([expect.stringMatching(/^GATEWAY_NAME: set a DNS name/)]);
  });

  it('a CA file without a certificate, and one that is not there', () => {
    const expected = [expect.stringMatching(/^GATEWAY_CA_FILE: there is no certificate/)];
    expect(faults({ GATEWAY_CA_FILE: trust.gateway.key })).toEqual(expected);
    expect(faults({ GATEWAY_CA_FILE: '/nowhere/ca.crt' })).toEqual(expected);
  });

  it('with nothing set, anybody may ask, as ever', async () => {
    expect(Object.keys(gatewaySettings.variables)).toEqual(['GATEWAY_CA_FILE', 'GATEWAY_NAME']);
    const open = await startApp({ instances: 1 });
    try {
      expect((await open.request('GET', '/v1/users/me')).status).toBe(401);
    } finally {
      await open.close();
    }
  });
});
