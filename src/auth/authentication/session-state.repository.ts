import { Injectable } from '@nestjs/common';
import { AuthoritySeals, type Sealed, type SessionAuthority, type Standing } from '../../common/authority-seals.js';
import type { Principal } from '../../common/principal.js';
import { Database } from '../../database/index.js';

/** What a session allows at this moment. No personal data is read, so no cell is opened. */
export interface SessionState {
  readonly principal: Principal;
  readonly active: boolean;
  readonly expiresAt: Date;
}

interface Row extends Sealed<SessionAuthority> {
  readonly active: boolean;
  readonly standing: Sealed<Standing>;
}

@Injectable()
export class SessionStateRepository {
  constructor(
    private readonly database: Database,
    private readonly seals: AuthoritySeals,
  ) {}

  /** By primary key, in one statement: this is what every authenticated request may cost. A row that was changed past the service allows nothing. */
  async find(sessionId: string): Promise<SessionState | undefined> {
    const [row] = await this.database.client.$queryRaw<Row[]>`
      SELECT s.id::text, s.user_id::text AS "userId", s.authenticated_at AS "authenticatedAt", s.methods,
             s.factor_due AS "factorDue", s.enrolment_due AS "enrolmentDue", s.in_browser AS "inBrowser",
             s.ended_at IS NULL AND u.status = 'active' AS active, s.expires_at AS "expiresAt", s.authority_mac AS "authorityMac",
             json_build_object('id', u.id, 'roles', u.roles, 'status', u.status, 'secondFactors', u.second_factors,
                               'authorityMac', u.authority_mac) AS standing
      FROM sessions s JOIN users u ON u.id = s.user_id
      WHERE s.id = ${sessionId}::uuid`;
    if (row === undefined) return undefined;
    const { userId, authenticatedAt, methods, factorDue, enrolmentDue, inBrowser, expiresAt, standing } = row;
    const { roles } = standing;
    const active = row.active && this.seals.isWholeSession(row) && this.seals.isWholeStanding(standing);
    return { principal: Object.freeze({ userId, sessionId, roles, authenticatedAt, methods, factorDue, enrolmentDue, inBrowser }), active, expiresAt };
  }
}
