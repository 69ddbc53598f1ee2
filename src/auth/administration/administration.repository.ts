import { Injectable } from '@nestjs/common';
import { Clock } from '../../common/clock.js';
import { PrincipalChanges } from '../../common/session-revocation.js';
import { Database, isChanged } from '../../database/index.js';
import { resetDueHash } from '../password/index.js';

const reason = 'ended-by-administrator';
/** One statement ends so many: a transaction over all of a large table would lock it for longer than anybody waits. */
const endedAtOnce = 5_000;

/** What administration changes about others. */
@Injectable()
export class AdministrationRepository {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly changes: PrincipalChanges,
  ) {}

  /** Acts on the next request, on every instance. @returns how many were open. */
  async endAllOf(userId: string): Promise<number> {
    await this.database.afterCommit(() => this.changes.announce(userId));
    const data = { endedAt: this.clock.now(), endReason: reason, authorityMac: null };
    return (await this.database.client.session.updateMany({ where: { userId, endedAt: null }, data })).count;
  }

  /** Ids are UUIDv7: whatever begins after this one has a greater id, whose clock ever wrote the other columns. */
  async newestSession(): Promise<string | undefined> {
    return (await this.database.client.session.findFirst({ orderBy: { id: 'desc' }, select: { id: true } }))?.id;
  }

  /** Some of the open ones up to that id, whoever they belong to. @returns how many; 0 when none is left. */
  async endSome(newest: string): Promise<number> {
    const data = { endedAt: this.clock.now(), endReason: reason, authorityMac: null };
    const where = { endedAt: null, id: { lte: newest } };
    return (await this.database.client.session.updateMany({ where, data, limit: endedAtOnce })).count;
  }

  find(userId: string) {
    return this.database.client.user.findUnique({ where: { id: userId }, select: { email: true, status: true } });
  }

  /**
   * From now on the password signs nobody in, nor does a passkey. The sealed hash says so too: whoever only writes to the database cannot
   * take that back by clearing a time. @returns false for whoever has none.
   */
  demandReset(userId: string): Promise<boolean> {
    const data = { resetDueAt: this.clock.now(), hash: resetDueHash };
    return isChanged(this.database.client.passwordCredential.update({ where: { userId }, data, select: { userId: true } }));
  }
}
