// Threat: whoever owns the database deletes events, puts some in, or brings back an old copy of it, and no MAC of a row
// tells (ASVS v5.0.0-16.4.2).
// Does: links each event into a hash chain, signs checkpoints of it that leave with the logs, verifies and exports the
// trail.
// Does not: stop whoever has the key ring; what is written within the last two seconds has no link yet.
// Remove: npm run remove audit-seals; every event then has its MAC alone, and audit:prune does not wait for exports.
// Also: docs/runbooks/audit-tampered.md, bench/audit-seals.ts.
import { Module } from '@nestjs/common';
import { declareKeyCount, ServesCommands } from '../../../cli/index.js';
import { declareAppendOnly } from '../../../database/index.js';
import { AuditSealing } from './audit-sealing.js';
import { auditExport } from './audit-export.command.js';
import { auditVerify } from './audit-verify.command.js';
import { replacePruning } from '../retention.js';
import { NoteKeys } from './note-keys.js';
import { pruneSealed } from './sealed-pruning.js';
import { SealMeasures } from './seal-measures.js';
import { Sealer } from './sealer.js';
import { SealsRepository } from './seals.repository.js';

declareAppendOnly('audit_links', 'audit_checkpoints', 'audit_anchors', 'audit_exports');
declareKeyCount('audit-checkpoint', async (client, keyId) => {
  const where = { keyId };
  const [checkpoints, anchors] = [client.auditCheckpoint.count({ where }), client.auditAnchor.count({ where })];
  return (await checkpoints) + (await anchors) + (await client.auditExport.count({ where }));
});

replacePruning((retention, app) => pruneSealed(app.get(NoteKeys), retention));

/** What commands need: they seal nothing. */
@ServesCommands(auditExport, auditVerify)
@Module({ providers: [NoteKeys], exports: [NoteKeys] })
/** @public It is found by its decorator. */
export class AuditSealsCommandsModule {}

@Module({ imports: [AuditSealsCommandsModule], providers: [SealsRepository, Sealer, AuditSealing, SealMeasures] })
export class AuditSealsModule {}
