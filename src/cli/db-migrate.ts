import { migrate, ownerConnection, pendingMigrations, withClient } from '../database/index.js';
import { UsageError, type Command } from './command.js';

/** The owner's part of a deployment: the service itself runs as a role that may not do this. */
export const dbMigrate: Command = {
  name: 'db:migrate',
  usage: '[--dry-run]',
  description: 'Applies the missing migrations as DATABASE_OWNER_URL.',
  async run(config, args) {
    if (args.some((word) => word !== '--dry-run')) throw new UsageError('usage: db:migrate [--dry-run]');
    const connection = ownerConnection(config);
    const dryRun = args.includes('--dry-run');
    const names = dryRun
      ? await withClient(connection, (client) => pendingMigrations(client))
      : await migrate(connection);
    for (const name of names) process.stdout.write(`${dryRun ? 'would apply' : 'applied'} ${name}\n`);
    if (names.length === 0) process.stdout.write('nothing to do: no migration is missing\n');
    return 0;
  },
};
