import { grantRuntimeRole, ownerConnection } from '../database/index.js';
import { UsageError, type Command } from './command.js';

/**
 * Run it after the first `db:migrate`; tables of later migrations are covered, a new append-only one by running it
 * again.
 */
export const dbRoles: Command = {
  name: 'db:roles',
  usage: '<role> [--dry-run]',
  description:
    'Gives an existing role the rights of the service, as DATABASE_OWNER_URL; with --dry-run prints the SQL.',
  async run(config, args) {
    const dryRun = args.includes('--dry-run');
    const [role, ...more] = args.filter((word) => word !== '--dry-run');
    if (role === undefined || role.startsWith('-') || more.length > 0)
      throw new UsageError('usage: db:roles <role> [--dry-run]');
    const statements = await grantRuntimeRole(ownerConnection(config), role, dryRun);
    const done = `granted: ${statements.length} statements; the role may do no more\n`;
    process.stdout.write(dryRun ? statements.map((sql) => `${sql};\n`).join('') : done);
    return 0;
  },
};
