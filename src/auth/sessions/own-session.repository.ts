import { Injectable } from '@nestjs/common';
import { Clock } from '../../common/clock.js';
import { Database } from '../../database/index.js';
import { idleMs, type EndReason } from './session.repository.js';

/** So many sessions of one person are open at once. One more, and the one that was used longest ago ends (ASVS v5.0.0-7.1.2). */
export const mostOpenSessions = 100;

/** The sessions of one person, as the person sees them. */
@Injectable()
export class OwnSessionRepository {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  /** Those that can still be used, latest use first. Nothing in it could be used as a credential. */
  listOpen(userId: string) {
    return this.database.client.session.findMany({
      where: this.open(userId),
      orderBy: [{ refreshedAt: 'desc' }, { id: 'desc' }],
      select: { id: true, device: true, place: true, authenticatedAt: true, refreshedAt: true, expiresAt: true, factorDue: true },
    });
  }

  /**
   * Ends those for which there is no room beside one more. To be called while the person's lock is held: two sign-ins at once would both
   * see room. Half sign-ins go first, or whoever knows the password could put the owner out by them. @returns their ids.
   */
  async endSurplus(userId: string): Promise<string[]> {
    const { client } = this.database;
    const surplus = await client.session.findMany({
      where: this.open(userId),
      orderBy: [{ factorDue: 'asc' }, { refreshedAt: 'desc' }, { id: 'desc' }],
      skip: mostOpenSessions - 1,
      select: { id: true },
    });
    if (surplus.length === 0) return [];
    const endReason: EndReason = 'too-many-sessions';
    const ended = await client.session.updateManyAndReturn({
      where: { id: { in: surplus.map(({ id }) => id) }, endedAt: null },
      data: { endedAt: this.clock.now(), endReason, authorityMac: null },
      select: { id: true },
    });
    return ended.map(({ id }) => id);
  }

  /** For the export of personal data: also those that have ended, until they would have run out. */
  listAll(userId: string) {
    return this.database.client.session.findMany({
      where: { userId },
      orderBy: { id: 'desc' },
      select: {
        id: true, createdAt: true, authenticatedAt: true, methods: true, refreshedAt: true, expiresAt: true, endedAt: true, endReason: true,
        device: true, place: true,
      }, // prettier-ignore
    });
  }

  private open(userId: string) {
    const now = this.clock.now();
    return { userId, endedAt: null, expiresAt: { gt: now }, refreshedAt: { gt: new Date(now.getTime() - idleMs) } };
  }
}
