import type { Database } from '../../database/index.js';
import type { AuditEntry } from './audit-entry.js';

/**
 * Many events by one statement with one parameter: bound value by value, five hundred rows would hold the event loop
 * for 60 ms, and every request with it. A batch whose commit succeeded and whose answer was lost comes again: its rows
 * are there already.
 */
export const insertBatch = ({ client }: Database, rows: readonly AuditEntry[]): Promise<number> =>
  client.$executeRaw`
    INSERT INTO audit_events (id, at, action, outcome, actor_id, session_id, actor_kind, machine_id, target_type,
      target_id, request_id, network, details, mac_key_id, mac)
    SELECT "id", "at", "action", "outcome", "actorId", "sessionId", "actorKind", "machineId", "targetType",
      "targetId", "requestId", "network", "details", "macKeyId", "mac"
    FROM json_to_recordset(${JSON.stringify(rows)}::json) AS event("id" uuid, "at" timestamptz, "action" text,
      "outcome" text, "actorId" uuid, "sessionId" uuid, "actorKind" text, "machineId" uuid, "targetType" text,
      "targetId" text, "requestId" text, "network" text, "details" jsonb, "macKeyId" text, "mac" text)
    ON CONFLICT DO NOTHING`;
