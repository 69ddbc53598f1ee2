import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readConfig } from '../../../../src/config/index.js';
import { KeyRing } from '../../../../src/security/data-protection/index.js';
import { openKeyWrappers } from '../../../../src/security/data-protection/key-wrappers/key-wrappers.js';

const arn = 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab';
const kms = { AWS_KMS_KEY_ID: arn };
const vault = { VAULT_ADDR: 'https://vault.example.org:8200', VAULT_TRANSIT_KEY: 'data-keys', VAULT_TOKEN_FILE: '/run/secrets/token' };

function faultsOf(environment: Record<string, string>): string {
  try {
    readConfig(environment);
  } catch (error) {
    return (error as Error).message;
  }
  return 'none';
}

const wrappersOf = async (environment: Record<string, string>): Promise<string[]> => {
  const keyRing = await KeyRing.loadOrCreate(join(mkdtempSync(join(tmpdir(), 'wrappers-')), 'keys.json'));
  return (await openKeyWrappers(readConfig(environment), keyRing)).map(({ name }) => name);
};

describe('configuration of key wrappers [practice 7.3] [ASVS 13.3.3]', () => {
  it.each<[Record<string, string>, string[]]>([
    [{}, ['local']],
    [{ ...kms, KEY_WRAPPER: 'aws-kms' }, ['aws-kms', 'local']],
    [{ ...vault, KEY_WRAPPER: 'vault-transit' }, ['vault-transit', 'local']],
    [{ ...kms, ...vault, KEY_WRAPPER: 'vault-transit' }, ['vault-transit', 'local', 'aws-kms']],
    [{ ...kms, ...vault }, ['local', 'aws-kms', 'vault-transit']],
  ])('%o: the chosen one wraps, all that are configured unwrap', async (environment, names) => {
    expect(await wrappersOf(environment)).toEqual(names);
  });

  it.each<[string, Record<string, string>]>([
    ['KEY_WRAPPER: set one of: local, aws-kms, vault-transit', { KEY_WRAPPER: 'vault' }],
    ['KEY_WRAPPER is aws-kms: set AWS_KMS_KEY_ID', { KEY_WRAPPER: 'aws-kms' }],
    ['KEY_WRAPPER is vault-transit: set VAULT_ADDR, VAULT_TRANSIT_KEY and VAULT_TOKEN_FILE', { KEY_WRAPPER: 'vault-transit', VAULT_ADDR: vault.VAULT_ADDR }],
    ['VAULT_ADDR, VAULT_TRANSIT_KEY and VAULT_TOKEN_FILE go together', { VAULT_ADDR: vault.VAULT_ADDR }],
    ['AWS_KMS_ENDPOINT needs AWS_KMS_KEY_ID', { AWS_KMS_ENDPOINT: 'https://kms.example.org' }],
    ['AWS_KMS_KEY_ID: set keys of one region only', { AWS_KMS_KEY_ID: `${arn},${arn.replace('eu-central-1', 'us-east-1')}` }],
  ])('%s', (fault, environment) => {
    expect(faultsOf(environment)).toContain(fault);
  });

  it.each(['alias/data-keys', 'arn:aws:kms:eu-central-1:111122223333:alias/data-keys', '1234abcd-12ab-34cd-56ef-1234567890ab'])(
    'the KMS key %s: refused, because whoever moves an alias would choose the key',
    (id) => {
      expect(faultsOf({ AWS_KMS_KEY_ID: id })).toContain('AWS_KMS_KEY_ID: set the ARN of a key');
    },
  );

  it.each([
    'http://vault.example.org:8200', 'http://127.0.0.1.example.org', 'http://10.0.0.1:8200', 'ftp://localhost', 'vault.example.org:8200',
    'https://root:canary@vault.example.org', 'https://vault.example.org/v1', 'https://vault.example.org?token=canary', 'https://vault.example.org/#x', 'file:///etc',
  ])('data keys would cross a network in clear, or the URL carries a secret or a path: %s is refused [ASVS 12.3.1]', (address) => {
    for (const name of ['VAULT_ADDR', 'AWS_KMS_ENDPOINT']) expect(faultsOf({ ...vault, ...kms, [name]: address })).toContain(`${name}: set an https origin`);
    expect(faultsOf({ ...vault, VAULT_ADDR: address })).not.toContain('canary');
  });

  it.each(['http://127.0.0.1:8100', 'http://localhost:8100', 'http://[::1]:8100/', 'https://vault.example.org', 'https://vault.example.org:8200/'])('%s is accepted', (address) => {
    expect(readConfig({ ...vault, VAULT_ADDR: address }).vaultTransit?.address).toBe(new URL(address).origin);
  });

  it.each(['..', '../sys', 'transit/../sys', '/transit', 'transit/', 'a//b', 'key?x', 'key%2f', 'key name', '-key'])('%j leads out of the mount: refused', (path) => {
    expect(faultsOf({ ...vault, VAULT_TRANSIT_MOUNT: path })).toContain('VAULT_TRANSIT_MOUNT: set letters');
    expect(faultsOf({ ...vault, VAULT_TRANSIT_KEY: path })).toContain('VAULT_TRANSIT_KEY: set letters');
  });

  it('never wraps with another one than the chosen one', async () => {
    const keyRing = await KeyRing.loadOrCreate(join(mkdtempSync(join(tmpdir(), 'wrappers-')), 'keys.json'));
    const settings = { keyWrapper: 'aws-kms', awsKms: undefined, vaultTransit: undefined } as const;
    await expect(openKeyWrappers(settings, keyRing)).rejects.toThrow('KEY_WRAPPER is aws-kms, which is not configured');
  });
});
