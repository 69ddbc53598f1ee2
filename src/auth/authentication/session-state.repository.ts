import { Injectable } from '@nestjs/common';
import type { Principal } from '../../common/principal.js';
import { Database } from '../../database/index.js';

/** What a session allows at this moment. No personal data is read, so no cell is opened. */
export interface SessionState {
  readonly principal: Principal;
  readonly active: boolean;
  readonly expiresAt: Date;
}

type Row = Omit<Principal, 'sessionId'> & Pick<SessionState, 'active' | 'expiresAt'>;

@Injectable()
export class SessionStateRepository {
  constructor(private readonly database: Database) {}

  /** By primary key, in one statement: this is what every authenticated request may cost. */
  async find(sessionId: string): Promise<SessionState | undefined> {
    const [row] = await this.database.client.$queryRaw<Row[]>`
      SELECT s.user_id AS "userId", u.roles, s.authenticated_at AS "authenticatedAt", s.methods,
             s.factor_due AS "factorDue", s.enrolment_due AS "enrolmentDue", s.in_browser AS "inBrowser",
             s.ended_at IS NULL AND u.status = 'active' AS active, s.expires_at AS "expiresAt"
      FROM sessions s JOIN users u ON u.id = s.user_id
      WHERE s.id = ${sessionId}::uuid`;
    if (row === undefined) return undefined;
    const { active, expiresAt, ...person } = row;
    return { principal: Object.freeze({ ...person, sessionId }), active, expiresAt };
  }
}
