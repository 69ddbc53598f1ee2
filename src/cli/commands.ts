import { auditPrune } from './audit-prune.js';
import type { Command } from './command.js';
import { dbAfterRestore } from './db-after-restore.js';
import { dbMigrate } from './db-migrate.js';
import { dbRoles } from './db-roles.js';
import { keysEncryptExisting } from './keys-encrypt-existing.js';
import { keysInit } from './keys-init.js';
import { keysReencrypt } from './keys-reencrypt.js';
import { keysRetire } from './keys-retire.js';
import { keysRotate } from './keys-rotate.js';
import { keysStatus } from './keys-status.js';
import { keysVerify } from './keys-verify.js';
import { sessionsEnd } from './sessions-end.js';
import { usersErase } from './users-erase.js';
import { usersGrant } from './users-grant.js';
import { usersDisable, usersEnable } from './users-lock.js';

const keys: readonly Command[] = [keysInit, keysStatus, keysRotate, keysRetire, keysReencrypt, keysEncryptExisting, keysVerify];

export const commands: readonly Command[] = [usersGrant, usersDisable, usersEnable, sessionsEnd, usersErase, dbAfterRestore, dbMigrate, dbRoles, auditPrune, ...keys];

export const helpText = (): string =>
  `Usage: npm run cli -- <command> [arguments]\n\n${commands
    .map(({ name, usage, description }) => `  ${`${name} ${usage}`.padEnd(32)} ${description}`)
    .join('\n')}\n\nThe configuration is that of the service (.env and environment variables).\n`;
