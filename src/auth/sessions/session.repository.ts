import { randomUUIDv7 } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../../common/clock.js';
import { CONFIG, type Config } from '../../config/index.js';
import { Database } from '../../database/index.js';
import type { RefreshClaims } from './refresh-tokens.js';

const dayMs = 24 * 60 * 60 * 1000;

/** A session that is not refreshed for so long ends (ASVS v5.0.0-7.3.1). */
export const idleMs = 7 * dayMs;

/** However often it is refreshed, a session ends after so long (ASVS v5.0.0-7.3.2). */
const absoluteMs = 30 * dayMs;

/** How long somebody may look for the second factor after the password. */
const factorDueMs = 10 * 60 * 1000;

/** What is told with the end of a session, in the row and in the audit event. */
export type EndReason =
  | 'logout'
  | 'new-login'
  | 'too-many-sessions'
  | 'refresh-token-reuse'
  | 'credential-in-clear'
  | 'ended-by-user'
  | 'ended-by-administrator'
  | 'credential-changed';

const fields = {
  id: true,
  userId: true,
  refreshCounter: true,
  refreshedAt: true,
  authenticatedAt: true,
  methods: true,
  factorDue: true,
  inBrowser: true,
  endedAt: true,
} as const;

/** A session that begins. */
export interface NewSession {
  readonly userId: string;
  /** RFC 8176 values of what the user has just proved. */
  readonly methods: readonly string[];
  readonly factorDue: boolean;
  readonly enrolmentDue: boolean;
  readonly inBrowser: boolean;
  /** For people who look at the list of their sessions, never for a decision. */
  readonly device: string | null;
  readonly place: string | null;
}

@Injectable()
export class SessionRepository {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  async create({ methods, ...session }: NewSession) {
    const { userId, factorDue } = session;
    const now = this.clock.now();
    // The user's own leftovers go with each login, so the table stays as large as the number of people who come back.
    await this.database.client.session.deleteMany({ where: { userId, expiresAt: { lte: now } } });
    const expiresAt = new Date(now.getTime() + (factorDue ? factorDueMs : absoluteMs));
    return this.database.client.session.create({
      // A new id at every login: there is nothing that an attacker could have fixed before (ASVS v5.0.0-7.2.4).
      data: { ...session, id: randomUUIDv7(), methods: [...methods], refreshedAt: now, authenticatedAt: now, expiresAt },
      select: fields,
    });
  }

  /** True when there is a row of the user, of whatever state. */
  async hasAny(userId: string): Promise<boolean> {
    return (await this.database.client.session.findFirst({ where: { userId }, select: { id: true } })) !== null;
  }

  /** Check and change are one statement: of many that present the same token at once, one gets the row. */
  async rotate({ sessionId, counter }: RefreshClaims, inBrowser: boolean) {
    const now = this.clock.now();
    const [session] = await this.database.client.session.updateManyAndReturn({
      where: {
        id: sessionId,
        refreshCounter: counter,
        endedAt: null,
        factorDue: false,
        inBrowser,
        expiresAt: { gt: now },
        refreshedAt: { gt: new Date(now.getTime() - idleMs) },
        user: { status: 'active' },
      },
      data: { refreshCounter: counter + 1, refreshedAt: now },
      select: fields,
    });
    return session;
  }

  async find(id: string) {
    const select = { ...fields, user: { select: { status: true } } } as const;
    const session = await this.database.client.session.findUnique({ where: { id }, select });
    return session === null ? undefined : { ...session, isInGrace: this.isInGrace(session.refreshedAt) };
  }

  /** Two tabs, or a client whose answer got lost, present the same token twice within a moment: that is no theft, unless told so. */
  private isInGrace(refreshedAt: Date): boolean {
    const graceMs = this.config.refreshReuseGraceSeconds * 1000;
    return graceMs > 0 && this.clock.now().getTime() - refreshedAt.getTime() <= graceMs;
  }

  /** The user whose session was ended now; undefined when there was nothing left to end, or `userId` is given and it is somebody else's. */
  async end(id: string, reason: EndReason, userId?: string): Promise<string | undefined> {
    const [session] = await this.database.client.session.updateManyAndReturn({
      where: { id, endedAt: null, ...(userId === undefined ? {} : { userId }) },
      data: { endedAt: this.clock.now(), endReason: reason },
      select: { userId: true },
    });
    return session?.userId;
  }

  async isOpen(id: string): Promise<boolean> {
    return (await this.database.client.session.findFirst({ where: { id, endedAt: null }, select: { id: true } })) !== null;
  }

  /** The method counts as proved in the session. */
  async addMethod(id: string, method: string): Promise<void> {
    await this.database.client.$executeRaw`
      UPDATE sessions SET methods = array_append(array_remove(methods, ${method}), ${method}) WHERE id = ${id}::uuid`;
  }

  /** Ends all sessions of the user that are still open, but for one. @returns their ids. */
  async endAllOf(userId: string, reason: EndReason, except?: string): Promise<string[]> {
    const ended = await this.database.client.session.updateManyAndReturn({
      where: { userId, endedAt: null, ...(except === undefined ? {} : { id: { not: except } }) },
      data: { endedAt: this.clock.now(), endReason: reason },
      select: { id: true },
    });
    return ended.map(({ id }) => id);
  }
}
