// Threat: somebody did something, and nobody can say who, or the record was changed afterwards (ASVS V16.3, V16.4).
// Does: writes every security event with a MAC over all its columns; a change and its event commit together; the table
// takes no UPDATE, DELETE or TRUNCATE.
// Does not: notice deleted rows by itself, for a superuser can drop the trigger: audit-seals/ does.
// Remove: not by itself; what every feature does is proven by its events, in operation and in the tests of them all.
import { Module } from '@nestjs/common';
import { ServesCommands } from '../../cli/index.js';
import { auditPrune } from './audit-prune.command.js';
import { AuditTrail } from './audit-trail.js';

@ServesCommands(auditPrune)
@Module({ providers: [AuditTrail] })
export class AuditModule {}
