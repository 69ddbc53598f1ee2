import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LocalKeyWrapper } from '../../../../src/security/data-protection/field-encryption/key-wrapper.js';
import { KeyRing } from '../../../../src/security/data-protection/index.js';
import { keyWrapperContract } from './contract.js';

keyWrapperContract('local', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'local-wrapper-'));
  const wrapper = new LocalKeyWrapper(await KeyRing.loadOrCreate(join(directory, 'keys.json')));
  return { wrapper, close: () => Promise.resolve(rmSync(directory, { recursive: true })) };
});
