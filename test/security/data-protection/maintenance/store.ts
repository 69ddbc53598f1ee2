import { PrismaPg } from '@prisma/adapter-pg';
import type { FieldMap } from '../../../../src/security/data-protection/field-encryption/field-map.js';
import { fieldMap } from '../../../../src/generated/field-encryption/index.js';
import { PrismaClient } from '../../../../src/generated/prisma/client.js';
import { LocalKeyWrapper } from '../../../../src/security/data-protection/field-encryption/key-wrapper.js';
import { StoredCells, type StoredClient } from '../../../../src/security/data-protection/maintenance/index.js';
import type { KeyWrapper } from '../../../../src/security/data-protection/index.js';
import type { Vault } from '../support.js';

const fields: FieldMap = { ...fieldMap, User: { ...fieldMap.User, updatedAt: ['updatedAt'] } };

/** What a maintenance command works with, beside the clients of the service; each call is another process. */
export function storeOf(vault: Vault, wrappers: readonly KeyWrapper[] = [new LocalKeyWrapper(vault.keyRing)]) {
  const client = new PrismaClient({ adapter: new PrismaPg(vault.poolConfig) });
  const store = new StoredCells({ client: client as unknown as StoredClient, fields, keyRing: vault.keyRing, wrappers });
  return { store, client, close: () => client.$disconnect() };
}

export const never = new AbortController().signal;
