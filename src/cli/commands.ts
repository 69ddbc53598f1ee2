// The table, whose modules bring their commands.
import '../app.module.js';
import { declaredCommands, derivedCommands, type Command } from './command.js';
import { dbMigrate } from './db-migrate.js';
import { dbRoles } from './db-roles.js';
import { keyCommands } from './keys.js';

const own = [dbMigrate, dbRoles, ...keyCommands, ...declaredCommands()];

/** By name. */
export const commands: readonly Command[] = [...own, ...derivedCommands(own)].toSorted((one, other) =>
  one.name < other.name ? -1 : 1,
);

export const helpText = (): string =>
  `Usage: npm run cli -- <command> [arguments]\n\n${commands
    .map(({ name, usage, description }) => `  ${`${name} ${usage}`.padEnd(32)} ${description}`)
    .join('\n')}\n\nThe configuration is that of the service (.env and environment variables).\n`;
