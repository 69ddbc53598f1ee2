import { expect, it } from 'vitest';
import { readConfig } from '../../../../src/config/index.js';
import { openKeyWrappers } from '../../../../src/security/data-protection/index.js';
import { faultsOf, newKeyRing, wrappersOf, type Environment } from './configuration.parts.js';

// What any key service must keep to when it is configured; its own test calls them.

/** @param without what the service lacks when it is not configured. */
export function isChosenOrRefused(name: string, environment: Environment, without: object): void {
  it(`${name} is chosen: it wraps, and the key ring unwraps beside it; not chosen: the other way round`, async () => {
    expect(await wrappersOf({ ...environment, KEY_WRAPPER: name })).toEqual([name, 'local']);
    expect(await wrappersOf(environment)).toEqual(['local', name]);
  });

  it('never wraps with another one than the chosen one', async () => {
    const config = readConfig({ ...environment, KEY_WRAPPER: name });
    const of: typeof config.of = (settings) => ({ ...config.of(settings), ...without });
    await expect(openKeyWrappers({ ...config, of }, await newKeyRing())).rejects.toThrow(
      `KEY_WRAPPER is ${name}, which is not configured`,
    );
  });
}

/** Data keys in clear are in the answers. @param environment what the service needs beside it. */
export function crossesNoNetworkInClear(variable: string, environment: Environment): void {
  it.each([
    'http://vault.example.org:8200',
    'http://127.0.0.1.example.org',
    'http://10.0.0.1:8200',
    'ftp://localhost',
    'vault.example.org:8200',
    'https://root:canary@vault.example.org',
    'https://vault.example.org/v1',
    'https://vault.example.org?token=canary',
    'https://vault.example.org/#x',
    'file:///etc',
  ])(
    'data keys would cross a network in clear, or the URL carries a secret or a path: %s is refused [ASVS 12.3.1]',
    (address) => {
      const faults = faultsOf({ ...environment, [variable]: address });
      expect(faults).toContain(`${variable}: set an https origin`);
      expect(faults).not.toContain('canary');
    },
  );

  it.each([
    'http://127.0.0.1:8100',
    'http://localhost:8100',
    'http://[::1]:8100/',
    'https://vault.example.org',
    'https://vault.example.org:8200/',
  ])('%s is accepted', (address) => expect(faultsOf({ ...environment, [variable]: address })).toBe('none'));
}
