import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KeyUsageFlags } from '@peculiar/x509';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Trust } from '../../../src/auth/mtls/trust.js';
import { readConfig } from '../../../src/config/index.js';
import { startApp } from '../../support/app.js';
import '../../support/sample/samples.controller.js';
import { ClientAuthority, dns, uri } from './client-authority.js';

const directory = mkdtempSync(join(tmpdir(), 'mtls-boot-'));
const id = '01890000-0000-7000-8000-000000000001';
const machine = { id, owner: id, certificate: { dns: 'lab.example.org' }, scopes: ['sample:read'] };
let authority: ClientAuthority;

function file(name: string, text: string): string {
  writeFileSync(join(directory, name), text);
  return join(directory, name);
}

beforeAll(async () => {
  authority = await ClientAuthority.create('CN=Clients');
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

interface Files {
  readonly ca?: string;
  readonly machines?: unknown;
  readonly crl?: string;
}

/** What the boot says to these files. */
async function fault({ ca = authority.pem, machines = {}, crl }: Files): Promise<string> {
  const config = readConfig({
    MTLS_CA_FILE: file('ca.crt', ca),
    MTLS_MACHINES_FILE: file('machines.json', typeof machines === 'string' ? machines : JSON.stringify(machines)),
    ...(crl !== undefined && { MTLS_CRL_FILE: file('ca.crl', crl) }),
  });
  return Trust.load(config).then(
    () => 'none',
    (error: Error) => error.message,
  );
}

describe('wrong files of certificates stop the boot with the variable and the fix [ASVS 13.2.1]', () => {
  it('the service does not start: with a mapping that is wrong, without the CA', async () => {
    const [ca, machines] = [file('ca.crt', authority.pem), file('machines.json', '[]')];
    const start = (env: Record<string, string>) => startApp({ env });
    await expect(start({ MTLS_CA_FILE: ca, MTLS_MACHINES_FILE: machines })).rejects.toThrow(
      'MTLS_MACHINES_FILE: the file: set an object',
    );
    await expect(start({ MTLS_CA_FILE: join(directory, 'no'), MTLS_MACHINES_FILE: machines })).rejects.toThrow(
      'MTLS_CA_FILE: the file cannot be read (ENOENT)',
    );
  });

  it('some of the variables without the others', () => {
    expect(() => readConfig({ MTLS_MACHINES_FILE: '/a' })).toThrow('MTLS_CA_FILE: set it too');
    expect(() => readConfig({ MTLS_CRL_FILE: '/a' })).toThrow('MTLS_CA_FILE: set it too');
    expect(() => readConfig({ MTLS_CA_FILE: '/a' })).toThrow('MTLS_MACHINES_FILE: set it too');
  });

  it('a file that is not there', async () => {
    const config = readConfig({ MTLS_CA_FILE: join(directory, 'no'), MTLS_MACHINES_FILE: join(directory, 'no') });
    await expect(Trust.load(config)).rejects.toThrow('MTLS_CA_FILE: the file cannot be read (ENOENT)');
  });

  it('CAs that are none, or too many, or lack the one above', async () => {
    const leaf = await authority.issue();
    const below = await ClientAuthority.create('CN=Below', authority);
    expect(await fault({ ca: 'rubbish' })).toContain('MTLS_CA_FILE: the file has no certificate of PEM form');
    expect(await fault({ ca: leaf.cert })).toContain('MTLS_CA_FILE: a certificate of the file is none of a CA');
    expect(await fault({ ca: authority.pem.repeat(21) })).toContain('MTLS_CA_FILE: the file is a bundle');
    expect(await fault({ ca: below.pem })).toContain('MTLS_CA_FILE: a CA has another above it');
    expect(await fault({ ca: below.pem + authority.pem })).toBe('none');
  });

  it('lists of somebody else, or that are missing for one CA, or signed by a CA that may not', async () => {
    const other = await ClientAuthority.create('CN=Other');
    const mute = await ClientAuthority.create('CN=Mute', undefined, { usages: KeyUsageFlags.keyCertSign });
    expect(await fault({ crl: await other.list() })).toContain('MTLS_CRL_FILE: a list is signed by no CA');
    expect(await fault({ ca: mute.pem, crl: await mute.list() })).toContain('MTLS_CRL_FILE: a list is signed by no CA');
    const both = authority.pem + other.pem;
    expect(await fault({ ca: both, crl: await other.list() })).toContain('MTLS_CRL_FILE: a CA of MTLS_CA_FILE has no');
    expect(await fault({ ca: both, crl: (await other.list()) + (await authority.list()) })).toBe('none');
  });

  it.each<[string, unknown]>([
    ['the file is no JSON', '{'],
    ['the file: it may have machines, gateways', { machine: [] }],
    ['machines: set a list', { machines: {} }],
    ['machines[0]: it may have id', { machines: [{ ...machine, roles: ['admin'] }] }],
    ['machines[0].id: set a UUID', { machines: [{ ...machine, id: 'lab' }] }],
    ['machines[0].owner: set a UUID', { machines: [{ ...machine, owner: undefined }] }],
    ['machines[0].certificate: set one of', { machines: [{ ...machine, certificate: {} }] }],
    ['machines[0].certificate: set one of', { machines: [{ ...machine, certificate: { dns: 'a', uri: 'b:c' } }] }],
    ['machines[0].certificate: set one of', { machines: [{ ...machine, certificate: { dns: '*.example.org' } }] }],
    ['machines[0].certificate: it may have', { machines: [{ ...machine, certificate: { cn: 'lab' } }] }],
    ['machines[0].scopes[0]: no route', { machines: [{ ...machine, scopes: ['sample:anything'] }] }],
    ['machines[0].scopes[0]: no route', { machines: [{ ...machine, scopes: [1] }] }],
    ['machines[0].tier: set one of', { machines: [{ ...machine, tier: 'unlimited' }] }],
    ['machines[1]: another entry has this certificate', { machines: [machine, machine] }],
    ['machines: two entries have one id', { machines: [machine, { ...machine, certificate: { dns: 'b' } }] }],
    ['gateways[0]: another entry has this certificate', { machines: [machine], gateways: [machine.certificate] }],
    ['gateways[0]: set one of', { gateways: [{}] }],
  ])('%s', async (message, machines) => {
    expect(await fault({ machines })).toContain(`MTLS_MACHINES_FILE: ${message}`);
  });

  it('an honest file is taken, with several gateways', async () =>
    expect(await fault({ machines: { machines: [machine], gateways: [{ dns: 'a' }, { dns: 'b' }] } })).toBe('none'));

  it('forges a second name by a comma in the first: one name, which nobody has [CVE-2021-44532]', async () => {
    const { ClientCertificate } = await import('../../../src/auth/mtls/client-certificate.js');
    const { X509Certificate } = await import('node:crypto');
    const { cert } = await authority.issue({
      names: [uri('spiffe://a/b, DNS:lab.example.org'), dns('LAB.example.net')],
    });
    const { names } = new ClientCertificate(new X509Certificate(cert));
    expect(names.slice(1)).toEqual(['uri:spiffe://a/b, DNS:lab.example.org', 'dns:lab.example.net']);
  });
});
