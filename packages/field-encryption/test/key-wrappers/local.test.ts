import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { purposes } from '../support/purposes.js';
import { LocalKeyWrapper } from '../../src/keys/key-wrapper.js';
import { KeyRing } from '../../src/index.js';
import { keyWrapperContract } from './contract.js';

keyWrapperContract('local', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'local-wrapper-'));
  const wrapper = new LocalKeyWrapper(await KeyRing.loadOrCreate(join(directory, 'keys.json'), purposes));
  return { wrapper, close: () => Promise.resolve(rmSync(directory, { recursive: true })) };
});
