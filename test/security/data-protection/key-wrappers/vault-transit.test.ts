import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Relay } from '../../../support/relay.js';
import { VaultStub } from '../../../support/stubs/vault-transit.js';
import { crossesNoNetworkInClear, isChosenOrRefused } from './choice.parts.js';
import { faultsOf } from './configuration.parts.js';
import { isAskedThroughEgress, wrapperOf } from './egress.parts.js';
import { theServiceOn } from './service.parts.js';

const vault = {
  VAULT_ADDR: 'https://vault.example.org:8200',
  VAULT_TRANSIT_KEY: 'data-keys',
  VAULT_TOKEN_FILE: '/run/secrets/token',
};

describe('configuration of Vault transit [practice 7.3] [ASVS 13.3.3]', () => {
  isChosenOrRefused('vault-transit', vault, { VAULT_ADDR: undefined });
  crossesNoNetworkInClear('VAULT_ADDR', vault);

  it.each<[string, Record<string, string>]>([
    [
      'KEY_WRAPPER is vault-transit: set VAULT_ADDR, VAULT_TRANSIT_KEY and VAULT_TOKEN_FILE',
      { KEY_WRAPPER: 'vault-transit' },
    ],
    ['VAULT_ADDR, VAULT_TRANSIT_KEY and VAULT_TOKEN_FILE go together', { VAULT_ADDR: vault.VAULT_ADDR }],
  ])('%s', (fault, environment) => expect(faultsOf(environment)).toContain(fault));

  it.each(['..', '../sys', 'transit/../sys', '/transit', 'transit/', 'a//b', 'key?x', 'key%2f', 'key name', '-key'])(
    '%j leads out of the mount: refused',
    (path) => {
      expect(faultsOf({ ...vault, VAULT_TRANSIT_MOUNT: path })).toContain('VAULT_TRANSIT_MOUNT: set letters');
      expect(faultsOf({ ...vault, VAULT_TRANSIT_KEY: path })).toContain('VAULT_TRANSIT_KEY: set letters');
    },
  );
});

theServiceOn('vault-transit', async () => {
  const stub = await VaultStub.start();
  const { relay, url } = await Relay.to(stub.address);
  const env = {
    KEY_WRAPPER: 'vault-transit',
    VAULT_ADDR: url,
    VAULT_TRANSIT_KEY: 'data-keys',
    VAULT_TOKEN_FILE: stub.tokenFile,
    VAULT_CA_FILE: stub.caFile,
  };
  return { relay, env, credential: readFileSync(stub.tokenFile, 'utf8').trim(), close: () => stub.close() };
});

const environmentOf = (stub: VaultStub, host: string) => ({
  KEY_WRAPPER: 'vault-transit',
  VAULT_ADDR: `https://${host}:${new URL(stub.address).port}`,
  VAULT_TRANSIT_KEY: 'data-keys',
  VAULT_TOKEN_FILE: stub.tokenFile,
  VAULT_CA_FILE: stub.caFile,
});

isAskedThroughEgress('Vault', async () => {
  const stub = await VaultStub.start();
  const envAt = (host: string) => environmentOf(stub, host);
  return { envAt, operations: stub.operations, close: () => stub.close() };
});

describe('the boot asks what egress would refuse later [ASVS 13.2.4] [A7-2]', () => {
  let stub: VaultStub;

  beforeAll(async () => {
    stub = await VaultStub.start();
  });
  afterAll(() => stub.close());

  it('an address of the metadata service as key service: the service does not start', async () => {
    await expect(wrapperOf(environmentOf(stub, '169.254.169.254'), '127.0.0.1')).rejects.toThrow(
      'VAULT_ADDR: its host is private',
    );
  });

  it('a CA file that is not there: the boot names the variable', async () => {
    const env = { ...environmentOf(stub, 'localhost'), VAULT_CA_FILE: join(stub.directory, 'none') };
    await expect(wrapperOf(env, '127.0.0.1')).rejects.toThrow('VAULT_CA_FILE: the file cannot be read (ENOENT)');
  });
});
