import type { Abstract } from '@nestjs/common';
import { vi } from 'vitest';
import { Clock } from '../../../../src/common/clock.js';
import { Macs } from '../../../../src/common/macs.js';
import type { SecurityEvent } from '../../../../src/common/events/security-events.js';
import { Database } from '../../../../src/database/index.js';
import { rowOf, toEntry } from '../../../../src/security/audit/audit-entry.js';
import { AuditSealing } from '../../../../src/security/audit/audit-seals/audit-sealing.js';
import { NoteKeys } from '../../../../src/security/audit/audit-seals/note-keys.js';
import { Sealer, type Checkpoint } from '../../../../src/security/audit/audit-seals/sealer.js';
import { SealsRepository } from '../../../../src/security/audit/audit-seals/seals.repository.js';
import type { Finding } from '../../../../src/security/audit/audit-seals/walk.js';
import { endBeside } from '../../../cli/ends.js';
import { startApp, type TestApp } from '../../../support/app.js';

const tables = ['audit_events', 'audit_links', 'audit_checkpoints', 'audit_anchors', 'audit_exports'];
const dayMs = 24 * 60 * 60 * 1000;

export interface Verified {
  readonly code: number;
  readonly events: number;
  readonly checkpoints: number;
  readonly unsealed: number;
  readonly findings: readonly Finding[];
}

/** The trail of a service whose own sealer stands still: each test says when something is sealed. */
export class Trail {
  private constructor(readonly app: TestApp) {}

  static async start(): Promise<Trail> {
    vi.spyOn(AuditSealing.prototype, 'run').mockResolvedValue();
    vi.spyOn(AuditSealing.prototype, 'onApplicationShutdown').mockResolvedValue();
    const trail = new Trail(await startApp({ instances: 1 }));
    // What its start wrote.
    await trail.tamper('DELETE FROM audit_events');
    return trail;
  }

  async close(): Promise<void> {
    await this.app.close();
    vi.restoreAllMocks();
  }

  get<T>(token: Abstract<T>): T {
    return this.app.on(0).service.app.get(token, { strict: false });
  }

  /** So many events, as the service would have written them that many days ago; their ids, oldest first. */
  async write(outcome: SecurityEvent['outcome'], count: number, days = 0): Promise<string[]> {
    const at = new Date(Date.now() - days * dayMs);
    const action = outcome === 'success' ? 'sensitive_update' : 'authz_fail';
    const event = (index: number): SecurityEvent => ({ action, outcome, target: { type: 'sample', id: `${index}` } });
    const entries = Array.from({ length: count }, (_, index) => toEntry(event(index), at, this.get(Macs)));
    await this.get(Database).client.auditEvent.createMany({ data: entries.map(rowOf) });
    return entries.map(({ id }) => id).toSorted();
  }

  /** A sealer that has seen nothing yet, as one that has just started that many days ago. */
  sealer(days = 0): Sealer {
    const clock = { now: () => new Date(this.get(Clock).now().getTime() - days * dayMs) };
    return new Sealer(this.get(Database), this.get(SealsRepository), this.get(NoteKeys), clock);
  }

  /** @returns the checkpoints. */
  async seal(days = 0): Promise<Checkpoint[]> {
    const sealer = this.sealer(days);
    await sealer.sealAll();
    return sealer.checkpoint(true);
  }

  async verify(...args: string[]): Promise<Verified> {
    const { code, output } = await endBeside(() => this.app)('audit:verify', ['--json', ...args]);
    return { code, ...(JSON.parse(output.slice(output.indexOf('{'))) as Omit<Verified, 'code'>) };
  }

  /** As the owner of the database, past every trigger. The embedded one is one session, for everybody. */
  tamper(sql: string): Promise<unknown> {
    return this.app.sql(`SET session_replication_role = replica; ${sql}; SET session_replication_role = origin`);
  }

  /** All that the database holds of the trail, to be brought back. */
  async copy(): Promise<() => Promise<void>> {
    const rows = await Promise.all(
      tables.map((table) => this.app.sql<{ rows: unknown }>(`SELECT json_agg(t) AS rows FROM ${table} t`)),
    );
    return async () => {
      await this.tamper(tables.map((table) => `DELETE FROM ${table}`).join('; '));
      for (const [at, table] of tables.entries())
        await this.app.sql(`INSERT INTO ${table} SELECT * FROM jsonb_populate_recordset(null::${table}, $1)`, [
          JSON.stringify(rows[at]?.[0]?.rows ?? []),
        ]);
    };
  }
}
