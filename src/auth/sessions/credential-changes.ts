import { Injectable } from '@nestjs/common';
import { SecurityEvents, type SecurityAction } from '../../common/security-events.js';
import { PrincipalChanges } from '../../common/session-revocation.js';
import { PersonLock } from './person-lock.js';
import { Sessions } from './sessions.js';

export interface CredentialChange {
  readonly userId: string;
  readonly action: SecurityAction;
  /** The session that asked, where it may live on. */
  readonly except?: string;
}

/** What goes with every change of what a person signs in with: password, address. */
@Injectable()
export class CredentialChanges {
  constructor(
    private readonly lock: PersonLock,
    private readonly sessions: Sessions,
    private readonly principals: PrincipalChanges,
    private readonly events: SecurityEvents,
  ) {}

  /**
   * One change, its audit event, and the end of the person's sessions (ASVS v5.0.0-7.4.3): all of it commits, or nothing.
   * @param change runs in the transaction, when the session that asked is still open; false when there was nothing to change yet: then no
   *   session ends.
   */
  async apply({ userId, action, except }: CredentialChange, change: () => Promise<boolean>): Promise<void> {
    const isChanged = await this.lock.hold(userId, async () => {
      if (except !== undefined) await this.sessions.demandOpen(except);
      if (!(await change())) return false;
      await this.events.record({ action, outcome: 'success', actorId: userId, target: { type: 'user', id: userId } });
      await this.sessions.endAllOf(userId, 'credential-changed', except);
      return true;
    });
    if (isChanged) await this.principals.announce(userId);
  }
}
