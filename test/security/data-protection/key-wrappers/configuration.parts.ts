import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KeyRing } from '@nestjs-secure-template/field-encryption';
import { purposes } from '../../../../src/common/macs.js';
import { readConfig } from '../../../../src/config/index.js';
import { openKeyWrappers } from '../../../../src/security/data-protection/index.js';

export type Environment = Readonly<Record<string, string>>;

export function faultsOf(environment: Environment): string {
  try {
    readConfig(environment);
  } catch (error) {
    return (error as Error).message;
  }
  return 'none';
}

export const newKeyRing = () =>
  KeyRing.loadOrCreate(join(mkdtempSync(join(tmpdir(), 'wrappers-')), 'keys.json'), purposes);

export const wrappersOf = async (environment: Environment): Promise<string[]> =>
  (await openKeyWrappers(readConfig(environment), await newKeyRing())).map(({ name }) => name);
