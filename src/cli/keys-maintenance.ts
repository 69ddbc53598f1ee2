import type { INestApplicationContext } from '@nestjs/common';
import { KeyRing } from '@nestjs-secure-template/field-encryption';
import {
  cellKeyUses,
  StoredCells,
  type KeyUse,
  type Run,
  type StoredClient,
} from '@nestjs-secure-template/field-encryption/maintenance';
import { SigningKeyRotation } from '../auth/index.js';
import { AuthoritySeals } from '../common/access/authority-seals.js';
import { SecurityEvents } from '../common/events/security-events.js';
import type { Purpose } from '../common/macs.js';
import type { Config } from '../config/index.js';
import { Database, openStoredClient } from '../database/index.js';
import { fieldMap } from '../generated/field-encryption/index.js';
import { openKeyWrappers } from '../security/data-protection/index.js';
import { onStopSignal } from '../stop-signals.js';
import { print, withServices } from './command.js';
import { serviceKeyUses } from './keys-uses.js';
import { Progress } from './progress.js';

/** What a command on keys and cells works with. The first SIGTERM or SIGINT aborts it, one after 2 s more ends it. */
export interface Maintenance extends Run {
  readonly keyRing: KeyRing;
  readonly signingKeys: SigningKeyRotation;
  /** @param all moves what is wrapped with the right key already, too. */
  readonly useOf: (purpose: Purpose, all?: boolean) => KeyUse;
}

export async function withMaintenance(config: Config, work: (run: Maintenance) => Promise<number>): Promise<number> {
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

async function maintenanceOf(
  config: Config,
  app: INestApplicationContext,
  client: StoredClient,
  signal: AbortSignal,
): Promise<Maintenance> {
  const keyRing = app.get(KeyRing);
  const wrappers = await openKeyWrappers(config, keyRing);
  const run: Run = {
    store: new StoredCells({ client, fields: fieldMap, keyRing, wrappers }),
    signal,
    print,
    warn: (line) => void process.stderr.write(`${line}\n`),
    during: (title, work) => Progress.during(title, work),
    record: (command, outcome, details) => {
      const event = { action: 'crypt_key_rotated', outcome, details: { command, ...details } } as const;
      return app.get(Database).transaction(() => app.get(SecurityEvents).recordInTransaction(event));
    },
  };
  const own = serviceKeyUses({ database: app.get(Database), seals: app.get(AuthoritySeals), keyRing, signal, print });
  return {
    ...run,
    keyRing,
    signingKeys: app.get(SigningKeyRotation),
    useOf: (purpose, all) => ({ ...own, ...cellKeyUses(run, all) })[purpose],
  };
}
