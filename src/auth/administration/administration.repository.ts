import { Injectable } from '@nestjs/common';
import { Clock } from '../../common/clock.js';
import { Database, isChanged } from '../../database/index.js';
import { resetDueHash } from '../password/credential.repository.js';

/** One statement ends so many: a transaction over all of a large table would lock it for longer than anybody waits. */
const endedAtOnce = 5_000;

/** What administration changes about others. */
@Injectable()
export class AdministrationRepository {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  /** Ids are UUIDv7: whatever begins after this one has a greater id, whose clock ever wrote the other columns. */
  async newestSession(): Promise<string | undefined> {
    return (await this.database.client.session.findFirst({ orderBy: { id: 'desc' }, select: { id: true } }))?.id;
  }

  /** Some of the open ones up to that id, whoever they belong to. @returns how many; 0 when none is left. */
  async endSome(newest: string): Promise<number> {
    const data = { endedAt: this.clock.now(), endReason: 'ended-by-administrator', authorityMac: null };
    const where = { endedAt: null, id: { lte: newest } };
    return (await this.database.client.session.updateMany({ where, data, limit: endedAtOnce })).count;
  }

  /**
   * The same of those that began, or were renewed, from the network, as the audit trail says: their own column is
   * sealed, and too coarse.
   */
  endSomeFrom(network: string, newest: string): Promise<number> {
    return this.database.client.$executeRaw`
      UPDATE sessions SET ended_at = ${this.clock.now()}, end_reason = 'ended-by-administrator', authority_mac = NULL
      WHERE id IN (SELECT s.id FROM sessions s WHERE s.ended_at IS NULL AND s.id <= ${newest}::uuid
        AND s.id::text IN (SELECT target_id FROM audit_events
          WHERE network = ${network} AND target_type = 'session' AND outcome = 'success')
        LIMIT ${endedAtOnce})`;
  }

  /**
   * From now on the password signs nobody in, nor does a passkey. The sealed hash says so too: whoever only writes to
   * the database cannot take that back by clearing a time. @returns false for whoever has none.
   */
  demandReset(userId: string): Promise<boolean> {
    const data = { resetDueAt: this.clock.now(), hash: resetDueHash };
    return isChanged(
      this.database.client.passwordCredential.update({ where: { userId }, data, select: { userId: true } }),
    );
  }
}
