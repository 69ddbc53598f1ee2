import { randomUUIDv7 } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { AuthoritySeals, type Sealed, type SessionAuthority, type Standing } from '../../common/authority-seals.js';
import { Clock } from '../../common/clock.js';
import type { Role } from '../../common/permissions.js';
import { CONFIG, type Config } from '../../config/index.js';
import { Database } from '../../database/index.js';
import { clockSkewSeconds } from '../signing-keys/lifetimes.js';
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
  enrolmentDue: true,
  inBrowser: true,
  expiresAt: true,
  authorityMac: true,
  endedAt: true,
} as const;

/** What an end writes: without its seal, a session does not live again by an UPDATE. */
const ended = (now: Date, endReason: EndReason) => ({ endedAt: now, endReason, authorityMac: null });

const standing = { id: true, roles: true, status: true, secondFactors: true, authorityMac: true } as const;

/** As it is after a refresh, with its owner. */
export interface RotatedSession extends Sealed<SessionAuthority> {
  readonly refreshCounter: number;
  readonly user: Sealed<Standing>;
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
}

@Injectable()
export class SessionRepository {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly seals: AuthoritySeals,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  async create({ methods, ...session }: NewSession) {
    const { userId, factorDue } = session;
    const now = this.clock.now();
    // The user's own leftovers go with each login, so the table stays as large as the number of people who come back.
    await this.database.client.session.deleteMany({ where: { userId, expiresAt: { lte: now } } });
    const expiresAt = new Date(now.getTime() + (factorDue ? factorDueMs : absoluteMs));
    // A new id at every login: there is nothing that an attacker could have fixed before (ASVS v5.0.0-7.2.4).
    const data = { ...session, id: randomUUIDv7(), methods: [...methods], refreshedAt: now, authenticatedAt: now, expiresAt };
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
      RETURNING s.id::text, s.user_id::text AS "userId", s.refresh_counter AS "refreshCounter", s.authenticated_at AS "authenticatedAt",
        s.methods, s.factor_due AS "factorDue", s.enrolment_due AS "enrolmentDue", s.in_browser AS "inBrowser",
        s.expires_at AS "expiresAt", s.authority_mac AS "authorityMac", json_build_object('id', u.id, 'roles', u.roles, 'status', u.status,
        'secondFactors', u.second_factors, 'authorityMac', u.authority_mac) AS "user"`;
    return session;
  }

  /** False, and reported, when the session or its owner was changed past the service. */
  isWhole(session: Sealed<SessionAuthority> & { readonly user: Sealed<Standing> }): boolean {
    return this.seals.isWholeSession(session) && this.seals.isWholeStanding(session.user);
  }

  async find(id: string) {
    const select = { ...fields, user: { select: standing } } as const;
    const session = await this.database.client.session.findUnique({ where: { id }, select });
    if (session === null) return undefined;
    const user = { ...session.user, roles: session.user.roles as Role[] };
    return { ...session, user, isInGrace: this.isInGrace(session.refreshedAt) };
  }

  /** Two tabs, or a client whose answer got lost, present the same token twice within a moment: that is no theft, unless told so. */
  private isInGrace(refreshedAt: Date): boolean {
    const graceMs = this.config.refreshReuseGraceSeconds * 1000;
    const elapsedMs = this.clock.now().getTime() - refreshedAt.getTime();
    // Below as well: a clock that was set back by an hour would else let a used token pass for an hour.
    return graceMs > 0 && elapsedMs >= -clockSkewSeconds * 1000 && elapsedMs <= graceMs;
  }

  /** The user whose session was ended now; undefined when there was nothing left to end, or `userId` is given and it is somebody else's. */
  async end(id: string, reason: EndReason, userId?: string): Promise<string | undefined> {
    const [session] = await this.database.client.session.updateManyAndReturn({
      where: { id, endedAt: null, ...(userId === undefined ? {} : { userId }) },
      data: ended(this.clock.now(), reason),
      select: { userId: true },
    });
    return session?.userId;
  }

  async isOpen(id: string): Promise<boolean> {
    return (await this.database.client.session.findFirst({ where: { id, endedAt: null }, select: { id: true } })) !== null;
  }

  /** The method counts as proved in the session. To be called under the person's lock. @returns false for a session that is no longer there, or was changed past the service. */
  async addMethod(id: string, method: string): Promise<boolean> {
    const session = await this.database.client.session.findFirst({ where: { id, endedAt: null }, select: fields });
    if (session === null || !this.seals.isWholeSession(session)) return false;
    const methods = [...session.methods.filter((one) => one !== method), method];
    const authorityMac = this.seals.ofSession({ ...session, methods });
    await this.database.client.session.updateMany({ where: { id, endedAt: null }, data: { methods, authorityMac } });
    return true;
  }

  /** Ends all sessions of the user that are still open, but for one. @returns their ids. */
  async endAllOf(userId: string, reason: EndReason, except?: string): Promise<string[]> {
    const rows = await this.database.client.session.updateManyAndReturn({
      where: { userId, endedAt: null, ...(except === undefined ? {} : { id: { not: except } }) },
      data: ended(this.clock.now(), reason),
      select: { id: true },
    });
    return rows.map(({ id }) => id);
  }
}
