import { LocalKeyWrapper, type KeyWrapper } from '../../src/index.js';
import { StoredCells, type RingLock, type Run, type StoredClient } from '../../src/maintenance/index.js';
import { fieldMap, plainClient } from '../support/client.js';
import type { Vault } from '../support/vault.js';

/** What a maintenance command works with, beside the clients of the service; each call is another process. */
export function storeOf(vault: Vault, wrappers: readonly KeyWrapper[] = [new LocalKeyWrapper(vault.keyRing)]) {
  const client = plainClient(vault.poolConfig);
  const store = new StoredCells({
    client: client as unknown as StoredClient,
    fields: fieldMap,
    keyRing: vault.keyRing,
    wrappers,
  });
  return { store, client, close: () => client.$disconnect() };
}

export const never = new AbortController().signal;

/** What a command works with; `lines` has all that it says, and `records` what it would put into the audit trail. */
export function runOf(store: StoredCells, given: Partial<Run> = {}) {
  const [lines, records]: [string[], object[]] = [[], []];
  const print = (line: string) => void lines.push(line);
  const run: Run = {
    store,
    signal: never,
    print: print,
    warn: print,
    during: (_, work) => work(() => undefined),
    record: async (command, outcome, details) => void records.push({ command, outcome, ...details }),
    ...given,
  };
  return { ...run, lines, records };
}

/** For tests in which nobody else changes the ring. */
export const onlyUs: RingLock = { take: () => Promise.resolve(undefined), holds: () => true, release: () => undefined };
