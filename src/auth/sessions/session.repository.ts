import { randomUUIDv7 } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import {
  AuthoritySeals,
  type Sealed,
  type SessionAuthority,
  type AccountStatus,
  sealedSession,
  sealedAccount,
} from '../../common/access/authority-seals.js';
import type { Person } from '../../common/access/principal.js';
import { Revocations } from '../../common/access/revocations.js';
import { Clock } from '../../common/clock.js';
import { CONFIG, type Config } from '../../config/index.js';
import { Database } from '../../database/index.js';
import { clockSkewSeconds } from '../signing-keys/lifetimes.js';
import type { RefreshClaims } from './session-tokens.js';

const dayMs = 24 * 60 * 60 * 1000;

/** A session that is not refreshed for so long ends (ASVS v5.0.0-7.3.1). */
const idleMs = 7 * dayMs;

/** However often it is refreshed, a session ends after so long (ASVS v5.0.0-7.3.2). */
const absoluteMs = 30 * dayMs;

/** How long somebody may look for the second factor after the password. */
const factorDueMs = 10 * 60 * 1000;

/**
 * So many sessions of one person are open at once. One more, and the one that was used longest ago ends (ASVS
 * v5.0.0-7.1.2).
 */
export const maxOpenSessions = 100;

/** What is told with the end of a session, in the row and in the audit event. */
export type EndReason =
  | 'logout'
  | 'new-login'
  | 'too-many-sessions'
  | 'refresh-token-reuse'
  | 'credential-in-clear'
  | 'ended-by-user'
  | 'ended-by-administrator'
  | 'ended-by-provider'
  | 'credential-changed';

const fields = { ...sealedSession, refreshCounter: true, refreshedAt: true, endedAt: true } as const;

/** What an end writes: without its seal, a session does not live again by an UPDATE. */
const ended = (now: Date, endReason: EndReason) => ({ endedAt: now, endReason, authorityMac: null });

/** As it is after a refresh, with its owner. */
export interface RotatedSession extends Sealed<SessionAuthority> {
  readonly refreshCounter: number;
  readonly user: Sealed<AccountStatus>;
}

/** What a session allows at this moment. No personal data is read, so no cell is opened. */
export interface SessionState {
  readonly principal: Person;
  readonly active: boolean;
  readonly expiresAt: Date;
}

interface StateRow extends Sealed<SessionAuthority> {
  readonly active: boolean;
  readonly account: Sealed<AccountStatus>;
}

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
  /** When that was, if somebody else saw it, and earlier. Left out: now. */
  readonly authenticatedAt?: Date | undefined;
}

@Injectable()
export class SessionRepository {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly seals: AuthoritySeals,
    private readonly revocations: Revocations,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  async create({ methods, authenticatedAt, ...session }: NewSession) {
    const { userId, factorDue } = session;
    const now = this.clock.now();
    // The user's own leftovers go with each login, so the table stays as large as the number of people who come back.
    await this.database.client.session.deleteMany({ where: { userId, expiresAt: { lte: now } } });
    const expiresAt = new Date(now.getTime() + (factorDue ? factorDueMs : absoluteMs));
    // A new id at every login: there is nothing that an attacker could have fixed before (ASVS v5.0.0-7.2.4).
    const data = {
      ...session,
      id: randomUUIDv7(),
      methods: [...methods],
      refreshedAt: now,
      authenticatedAt: authenticatedAt ?? now,
      expiresAt,
    };
    return this.database.client.session.create({
      data: { ...data, authorityMac: this.seals.ofSession(data) },
      select: fields,
    });
  }

  /** True when there is a row of the user, of whatever state. */
  async hasAny(userId: string): Promise<boolean> {
    return (await this.database.client.session.findFirst({ where: { userId }, select: { id: true } })) !== null;
  }

  /** Check and change are one statement: of many that present the same token at once, one gets the row. */
  async rotate({ sessionId, counter }: RefreshClaims, inBrowser: boolean): Promise<RotatedSession | undefined> {
    const now = this.clock.now();
    const [session] = await this.database.client.$queryRaw<RotatedSession[]>`
      UPDATE sessions s SET refresh_counter = s.refresh_counter + 1, refreshed_at = ${now}
      FROM users u
      WHERE u.id = s.user_id AND u.status = 'active' AND s.id = ${sessionId}::uuid AND s.refresh_counter = ${counter}
        AND s.ended_at IS NULL AND NOT s.factor_due AND s.in_browser = ${inBrowser}
        AND s.expires_at > ${now} AND s.refreshed_at > ${new Date(now.getTime() - idleMs)}
      RETURNING s.id::text, s.user_id::text AS "userId", s.refresh_counter AS "refreshCounter",
        s.authenticated_at AS "authenticatedAt", s.methods, s.factor_due AS "factorDue",
        s.enrolment_due AS "enrolmentDue", s.in_browser AS "inBrowser",
        s.expires_at AS "expiresAt", s.authority_mac AS "authorityMac",
        json_build_object('id', u.id, 'roles', u.roles, 'status', u.status, 'secondFactors', u.second_factors,
          'authorityMac', u.authority_mac) AS "user"`;
    return session;
  }

  /** False, and reported, when the session or its owner was changed past the service. */
  isWhole(session: Sealed<SessionAuthority> & { readonly user: Sealed<AccountStatus> }): boolean {
    return this.seals.isWholeSession(session) && this.seals.isWholeAccount(session.user);
  }

  /**
   * By primary key, in one statement: this is what every authenticated request may cost. A row that was changed past
   * the service allows nothing.
   */
  async findState(sessionId: string): Promise<SessionState | undefined> {
    const [row] = await this.database.client.$queryRaw<StateRow[]>`
      SELECT s.id::text, s.user_id::text AS "userId", s.authenticated_at AS "authenticatedAt", s.methods,
             s.factor_due AS "factorDue", s.enrolment_due AS "enrolmentDue", s.in_browser AS "inBrowser",
             s.ended_at IS NULL AND u.status = 'active' AS active, s.expires_at AS "expiresAt",
             s.authority_mac AS "authorityMac",
             json_build_object('id', u.id, 'roles', u.roles, 'status', u.status, 'secondFactors', u.second_factors,
                               'authorityMac', u.authority_mac) AS account
      FROM sessions s JOIN users u ON u.id = s.user_id
      WHERE s.id = ${sessionId}::uuid`;
    if (row === undefined) return undefined;
    const { userId, authenticatedAt, methods, factorDue, enrolmentDue, inBrowser, expiresAt, account } = row;
    const { roles } = account;
    const active = row.active && this.seals.isWholeSession(row) && this.seals.isWholeAccount(account);
    return {
      principal: Object.freeze({
        kind: 'person' as const,
        userId,
        sessionId,
        roles,
        authenticatedAt,
        methods,
        factorDue,
        enrolmentDue,
        inBrowser,
      }),
      active,
      expiresAt,
    };
  }

  async find(id: string) {
    const select = { ...fields, user: { select: sealedAccount } } as const;
    const session = await this.database.client.session.findUnique({ where: { id }, select });
    if (session === null) return undefined;
    return { ...session, isInGrace: this.isInGrace(session.refreshedAt) };
  }

  /**
   * Two tabs, or a client whose answer got lost, present the same token twice within a moment: that is no theft, unless
   * told so.
   */
  private isInGrace(refreshedAt: Date): boolean {
    const graceMs = this.config.refreshReuseGraceSeconds * 1000;
    const elapsedMs = this.clock.now().getTime() - refreshedAt.getTime();
    // Below as well: a clock that was set back by an hour would else let a used token pass for an hour.
    return graceMs > 0 && elapsedMs >= -clockSkewSeconds * 1000 && elapsedMs <= graceMs;
  }

  /** Makes every instance forget what it knows of the session, once the running transaction has committed. */
  announceEnd(id: string): Promise<void> {
    return this.database.afterCommit(() => this.revocations.announce({ sessionId: id }));
  }

  /**
   * The user whose session was ended now, on every instance; undefined when there was nothing left to end, or `userId`
   * is given and it is somebody else's.
   */
  async end(id: string, reason: EndReason, userId?: string): Promise<string | undefined> {
    await this.announceEnd(id);
    const [session] = await this.database.client.session.updateManyAndReturn({
      where: { id, endedAt: null, ...(userId === undefined ? {} : { userId }) },
      data: ended(this.clock.now(), reason),
      select: { userId: true },
    });
    return session?.userId;
  }

  async isOpen(id: string): Promise<boolean> {
    return (
      (await this.database.client.session.findFirst({ where: { id, endedAt: null }, select: { id: true } })) !== null
    );
  }

  /**
   * The method counts as proved in the session. To be called under the account's lock. @returns false for a session
   * that is no longer there, or was changed past the service.
   */
  async addMethod(id: string, method: string): Promise<boolean> {
    const session = await this.database.client.session.findFirst({ where: { id, endedAt: null }, select: fields });
    if (session === null || !this.seals.isWholeSession(session)) return false;
    const methods = [...session.methods.filter((one) => one !== method), method];
    const authorityMac = this.seals.ofSession({ ...session, methods });
    await this.database.client.session.updateMany({ where: { id, endedAt: null }, data: { methods, authorityMac } });
    return true;
  }

  /** Ends all sessions of the user that are still open, but for one, on every instance. @returns their ids. */
  async endAllOf(userId: string, reason: EndReason, except?: string): Promise<string[]> {
    await this.database.afterCommit(() => this.revocations.announce({ userId }));
    return this.endWhere({ userId, ...(except === undefined ? {} : { id: { not: except } }) }, reason);
  }

  /** Ends those of the user that began until then with that method. @returns their ids. */
  async endBegunBy(userId: string, method: string, until: Date, reason: EndReason): Promise<string[]> {
    await this.database.afterCommit(() => this.revocations.announce({ userId }));
    return this.endWhere({ userId, methods: { has: method }, createdAt: { lte: until } }, reason);
  }

  /**
   * Ends those for which there is no room beside one more. To be called while the account's lock is held: two sign-ins
   * at once would both see room. Half sign-ins go first, or whoever knows the password could put the owner out by them.
   * @returns their ids.
   */
  async endSurplus(userId: string): Promise<string[]> {
    const surplus = await this.database.client.session.findMany({
      where: this.open(userId),
      orderBy: [{ factorDue: 'asc' }, { refreshedAt: 'desc' }, { id: 'desc' }],
      skip: maxOpenSessions - 1,
      select: { id: true },
    });
    if (surplus.length === 0) return [];
    const ids = await this.endWhere({ id: { in: surplus.map(({ id }) => id) } }, 'too-many-sessions');
    for (const id of ids) await this.announceEnd(id);
    return ids;
  }

  /** Those that can still be used, latest use first. Nothing in it could be used as a credential. */
  listOpen(userId: string) {
    return this.database.client.session.findMany({
      where: this.open(userId),
      orderBy: [{ refreshedAt: 'desc' }, { id: 'desc' }],
      select: {
        id: true,
        device: true,
        place: true,
        authenticatedAt: true,
        refreshedAt: true,
        expiresAt: true,
        factorDue: true,
      },
    });
  }

  /** For the export of personal data: also those that have ended, until they would have run out. */
  listAll(userId: string) {
    return this.database.client.session.findMany({
      where: { userId },
      orderBy: { id: 'desc' },
      select: {
        id: true, createdAt: true, authenticatedAt: true, methods: true, refreshedAt: true, expiresAt: true,
        endedAt: true, endReason: true, device: true, place: true,
      }, // prettier-ignore
    });
  }

  private async endWhere(where: object, reason: EndReason): Promise<string[]> {
    const rows = await this.database.client.session.updateManyAndReturn({
      where: { ...where, endedAt: null },
      data: ended(this.clock.now(), reason),
      select: { id: true },
    });
    return rows.map(({ id }) => id);
  }

  private open(userId: string) {
    const now = this.clock.now();
    return { userId, endedAt: null, expiresAt: { gt: now }, refreshedAt: { gt: new Date(now.getTime() - idleMs) } };
  }
}
