import { Clock } from '../common/clock.js';
import { Macs } from '../common/macs.js';
import { ConfigurationError, type Config } from '../config/index.js';
import { openStoredClient } from '../database/index.js';
import type { PrismaClient } from '../generated/prisma/client.js';
import { pruneAuditTrail, type Pruned } from '../security/audit/retention.js';
import { onStopSignal } from '../stop-signals.js';
import { UsageError, withServices, type Command } from './command.js';
import { exitStopped, say } from './keys-maintenance.js';
import { Progress } from './progress.js';

const dayMs = 24 * 60 * 60 * 1000;

/** By the calendar, for example nightly. Stopped half-way, the next run goes on. */
export const auditPrune: Command = {
  name: 'audit:prune',
  usage: '',
  description: 'Deletes audit events older than AUDIT_REFUSALS_DAYS and AUDIT_CHANGES_DAYS, as DATABASE_OWNER_URL.',
  async run(config, args) {
    if (args.length > 0) throw new UsageError('usage: audit:prune');
    const stop = new AbortController();
    const stopListening = onStopSignal(() => stop.abort());
    try {
      const { changes, refusals } = await prune(config, stop.signal);
      say(`deleted ${refusals} refusals older than ${config.auditRefusalsDays} days and ${changes} changes older than ${config.auditChangesDays} days`);
    } finally {
      stopListening();
    }
    if (stop.signal.aborted) say('stopped before the end: run it again to go on');
    return stop.signal.aborted ? exitStopped : 0;
  },
};

const prune = (config: Config, signal: AbortSignal): Promise<Pruned> =>
  withServices(config, async (app) => {
    const client = await openStoredClient({ ...config, databaseUrl: config.databaseOwnerUrl ?? config.databaseUrl });
    try {
      await assertMayDelete(client);
      const now = () => app.get(Clock).now();
      const before = (days: number) => new Date(now().getTime() - days * dayMs);
      const [changesBefore, refusalsBefore] = [before(config.auditChangesDays), before(config.auditRefusalsDays)];
      const run = (onProgress: (seen: number) => void) =>
        pruneAuditTrail({ client, macs: app.get(Macs), now, changesBefore, refusalsBefore, signal, onProgress });
      return await Progress.during('audit events looked at', run);
    } finally {
      await client.$disconnect();
    }
  });

async function assertMayDelete(client: PrismaClient): Promise<void> {
  const [role] = await client.$queryRaw<{ may: boolean }[]>`SELECT has_table_privilege('audit_events', 'DELETE') AS may`;
  if (role?.may === true) return;
  throw new ConfigurationError(['DATABASE_OWNER_URL: set it: the role of the service adds audit events and may never delete one']);
}
