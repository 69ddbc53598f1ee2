// How many events a second `audit:verify` looks at: a trail of 200,000 (another number as the argument), written and
// sealed as the service does, on a database of its own. Prints each of five runs, and the CPU time of this process.
import { randomUUID, randomUUIDv7 } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KeyRing } from '@nestjs-secure-template/field-encryption';
import '../src/cli/commands.js';
import { withServices } from '../src/cli/index.js';
import { Clock } from '../src/common/clock.js';
import { traceOf } from '../src/common/http/trace-context.js';
import { runInRequestContext } from '../src/common/http/request-context.js';
import { Macs, purposes } from '../src/common/macs.js';
import { readConfig } from '../src/config/index.js';
import { Database, readSnapshot } from '../src/database/index.js';
import { insertBatch } from '../src/security/audit/audit-batch.repository.js';
import { toEntry } from '../src/security/audit/audit-entry.js';
import { NoteKeys } from '../src/security/audit/audit-seals/note-keys.js';
import { Sealer } from '../src/security/audit/audit-seals/sealer.js';
import { SealsRepository } from '../src/security/audit/audit-seals/seals.repository.js';
import { verifyTrail } from '../src/security/audit/audit-seals/verification.js';
import { createDatabase, describeServer } from './databases.js';
import { signedIn } from './fixture.js';

const events = Number(process.argv[2] ?? 200_000);
const batch = 1_000;
const runs = 5;

/** A change by somebody who is signed in: every column has a value. */
function write(database: Database, macs: Macs): Promise<number> {
  const target = { type: 'resource', id: randomUUID() };
  const rows = Array.from({ length: batch }, () =>
    toEntry(
      { action: 'sensitive_update', outcome: 'success', target, details: { fields: ['title'] } },
      new Date(),
      macs,
    ),
  );
  return insertBatch(database, rows);
}

const directory = mkdtempSync(join(tmpdir(), 'bench-audit-seals-'));
const server = process.env['DATABASE_URL'] || undefined;
const fresh = server === undefined ? undefined : await createDatabase(server, 'audit_seals');
const config = readConfig({ DATA_DIRECTORY: directory, ...(fresh && { DATABASE_URL: fresh.url }) });
await KeyRing.loadOrCreate(config.keyRingFile, purposes);
const principal = signedIn({ userId: randomUUIDv7(), sessionId: randomUUIDv7() });
const context = { requestId: randomUUIDv7(), trace: traceOf(undefined), address: '192.0.2.1', principal };
try {
  await withServices(config, async (app) => {
    const [database, macs, keys] = [app.get(Database), app.get(Macs), app.get(NoteKeys)];
    for (let count = 0; count < events; count += batch) await runInRequestContext(context, () => write(database, macs));
    await new Sealer(database, new SealsRepository(database), keys, new Clock()).sealAll();
    process.stdout.write(`database: ${await describeServer(server)}\n`);
    for (let run = 0; run < runs; run++) {
      const [startedAt, cpuBefore] = [performance.now(), process.cpuUsage()];
      const tell = () => {
        throw new Error('the trail is not sound');
      };
      const { events: seen } = await readSnapshot(config, (read) =>
        verifyTrail({ read, macs, keys, now: new Date(), since: [], tell, onProgress: () => undefined }),
      );
      const seconds = (performance.now() - startedAt) / 1000;
      const { user, system } = process.cpuUsage(cpuBefore);
      const [rate, cpu] = [Math.round(seen / seconds), ((user + system) / seen).toFixed(1)];
      process.stdout.write(`${seen} events: ${rate} a second, ${cpu} us of CPU each\n`);
    }
  });
} finally {
  await fresh?.drop();
  rmSync(directory, { recursive: true, force: true });
}
