import { exitCodes } from '@nestjs-secure-template/field-encryption/maintenance';
import { print, Progress, UsageError, withServices, type Command } from '../../cli/index.js';
import { Clock } from '../../common/clock.js';
import { Macs } from '../../common/macs.js';
import { ConfigurationError, type Config } from '../../config/index.js';
import { openStoredClient } from '../../database/index.js';
import type { PrismaClient } from '../../generated/prisma/client.js';
import { onStopSignal } from '../../stop-signals.js';
import { auditSettings } from './audit.settings.js';
import { pruneByPolicy, type Pruned } from './retention.js';

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
      const { AUDIT_REFUSALS_DAYS: refusalsDays, AUDIT_CHANGES_DAYS: changesDays } = config.of(auditSettings);
      const { changes, refusals, waiting = [] } = await prune(config, stop.signal);
      print(
        `deleted ${refusals} refusals older than ${refusalsDays} days and ${changes} changes older ` +
          `than ${changesDays} days`,
      );
      waiting.forEach(print);
    } finally {
      stopListening();
    }
    if (stop.signal.aborted) print('stopped before the end: run it again to go on');
    return stop.signal.aborted ? exitCodes.stopped : 0;
  },
};

const prune = (config: Config, signal: AbortSignal): Promise<Pruned> =>
  withServices(config, async (app) => {
    const client = await openStoredClient({ ...config, databaseUrl: config.databaseOwnerUrl ?? config.databaseUrl });
    try {
      await assertMayDelete(client);
      const now = () => app.get(Clock).now();
      const before = (days: number) => new Date(now().getTime() - days * dayMs);
      const { AUDIT_REFUSALS_DAYS: refusalsDays, AUDIT_CHANGES_DAYS: changesDays } = config.of(auditSettings);
      const [changesBefore, refusalsBefore] = [before(changesDays), before(refusalsDays)];
      const run = (onProgress: (seen: number) => void) =>
        pruneByPolicy({ client, macs: app.get(Macs), now, changesBefore, refusalsBefore, signal, onProgress }, app);
      return await Progress.during('audit events looked at', run);
    } finally {
      await client.$disconnect();
    }
  });

async function assertMayDelete(client: PrismaClient): Promise<void> {
  const [role] = await client.$queryRaw<
    { may: boolean }[]
  >`SELECT has_table_privilege('audit_events', 'DELETE') AS may`;
  if (role?.may === true) return;
  throw new ConfigurationError([
    'DATABASE_OWNER_URL: set it: the role of the service adds audit events and may never delete one',
  ]);
}
