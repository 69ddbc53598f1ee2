import type { INestApplicationContext } from '@nestjs/common';
import { SigningKeyRotation } from '../auth/index.js';
import { AuthoritySeals } from '../common/authority-seals.js';
import { SecurityEvents } from '../common/security-events.js';
import type { Config } from '../config/index.js';
import { Database, openStoredClient } from '../database/index.js';
import { fieldMap } from '../generated/field-encryption/index.js';
import { KeyRing, type Purpose } from '../security/data-protection/index.js';
import { openKeyWrappers } from '../security/data-protection/key-wrappers/key-wrappers.js';
import { StoredCells, keyUses, type StoredClient, type SweepReport } from '../security/data-protection/maintenance/index.js';
import { onStopSignal } from '../stop-signals.js';
import { countSealsOf, resealAuthority } from './keys-authority.js';
import { withServices } from './command.js';

/** 0 and 2 are done and usage; 1 means that faults were found. */
export const exitStopped = 3;

/** What a command on keys and cells works with. */
export interface Maintenance {
  readonly config: Config;
  readonly keyRing: KeyRing;
  readonly store: StoredCells;
  readonly signingKeys: SigningKeyRotation;
  /** Aborted by SIGTERM or SIGINT: finish what is in hand, say how far it came. A signal after 2 s more ends at once. */
  readonly signal: AbortSignal;
  /** How much needs this key of the ring; undefined when nobody can count it. */
  readonly uses: (purpose: Purpose, id: string) => Promise<number | undefined>;
  /** Seals anew what accounts and sessions may do, where another key than the active one sealed it. */
  readonly reseal: () => Promise<{ moved: number; faults: number }>;
  /** One audit event for the run: counts and key ids. */
  readonly record: (command: string, outcome: 'success' | 'failure', details: Readonly<Record<string, string | number | boolean>>) => Promise<void>;
}

export const say = (line: string): void => void process.stdout.write(`${line}\n`);

export async function withMaintenance(config: Config, work: (maintenance: Maintenance) => Promise<number>): Promise<number> {
  const stop = new AbortController();
  return withServices(config, async (app) => {
    const client = await openStoredClient(config);
    const stopListening = onStopSignal(() => stop.abort());
    try {
      return await work(await maintenanceOf(config, app, client as unknown as StoredClient, stop.signal));
    } finally {
      stopListening();
      await client.$disconnect();
    }
  });
}

async function maintenanceOf(config: Config, app: INestApplicationContext, client: StoredClient, signal: AbortSignal): Promise<Maintenance> {
  const keyRing = app.get(KeyRing);
  const store = new StoredCells({ client, fields: fieldMap, keyRing, wrappers: await openKeyWrappers(config, keyRing) });
  const [database, events] = [app.get(Database), app.get(SecurityEvents)];
  return {
    config,
    keyRing,
    store,
    signingKeys: app.get(SigningKeyRotation),
    signal,
    uses(purpose, id) {
      if (purpose === 'authority') return countSealsOf(database, id);
      return purpose === 'audit' ? database.client.auditEvent.count({ where: { macKeyId: id } }) : keyUses(store, purpose, id);
    },
    reseal: () => resealAuthority({ database, seals: app.get(AuthoritySeals), activeKey: keyRing.active('authority').id, signal }),
    record: (command, outcome, details) =>
      database.transaction(() => events.record({ action: 'crypt_key_rotated', outcome, details: { command, ...details } })),
  };
}

/** Tells the first faults, names and ids only, and what is left to do. @returns how much is not as it should be. */
export function tellFaults({ faults, faultCount, raced }: Pick<SweepReport, 'faults' | 'faultCount' | 'raced'>): number {
  for (const { model, field, rowId, code } of faults) process.stderr.write(`${model}.${field} ${rowId} ${code}\n`);
  if (faultCount > faults.length) process.stderr.write(`and ${faultCount - faults.length} more\n`);
  if (raced > 0) process.stderr.write(`${raced} cells were changed by others at each attempt: run it again\n`);
  return faultCount + raced;
}
