import { Injectable } from '@nestjs/common';
import { AuthoritySeals, type AccountStatus } from '../common/access/authority-seals.js';
import { admin, isPermitted, type Permission, type Role } from '../common/access/permissions.js';
import type { Person } from '../common/access/principal.js';
import { Revocations } from '../common/access/revocations.js';
import { SecurityEvents } from '../common/events/security-events.js';
import { Problem, unauthenticated } from '../common/http/problem.js';
import { Database } from '../database/index.js';
import { UsersRepository } from './users.repository.js';

export const accountStates = ['active', 'disabled'] as const;
export type AccountState = (typeof accountStates)[number];

/** Who asks, and for what; undefined is an operator on the machine, behind its own access control. */
export type Acting = { readonly principal: Person; readonly permission: Permission } | undefined;

interface Lock {
  readonly id: string;
  /** Whether the person may go on as an administrator after the change, if they are one. */
  readonly keepsAdministrator: boolean;
  readonly acting: Acting;
}

/**
 * One at a time for each person: what changes how they sign in or what they may do, and what begins a session by it.
 * Whoever needs other rows of the person takes them after this lock: in another order two could wait for each other.
 */
@Injectable()
export class AccountLock {
  constructor(
    private readonly users: UsersRepository,
    private readonly seals: AuthoritySeals,
    private readonly events: SecurityEvents,
    private readonly database: Database,
    private readonly revocations: Revocations,
  ) {}

  /**
   * One transaction about the person's own account, which waits for every other one of that person first.
   * @param work is told what the account may do, read under the lock.
   * @throws Problem unauthenticated when nobody has the id, when the account is disabled, or was changed past the
   * service: what was asked before the wait does not count (ASVS v5.0.0-8.3.2).
   */
  hold<T>(userId: string, work: (account: AccountStatus) => Promise<T>): Promise<T> {
    return this.database.transaction(async () => {
      const row = await this.users.lock(userId);
      const account = row && this.seals.trusted(row);
      if (account?.status !== 'active') throw unauthenticated();
      return work(account);
    });
  }

  /** Inside of `hold()`: which second factors have to be there from now on. */
  keepSecondFactors(account: AccountStatus, secondFactors: readonly string[]): Promise<void> {
    return this.users.changeSecondFactors({ ...account, secondFactors });
  }

  /**
   * First in every transaction that gives or takes a right of somebody else, or deletes an account. The person, all
   * administrators and the caller are locked together, and what is returned was read under that lock: whoever reads
   * first decides by what was. The last administrator has to stay one. Opens no cell: accounts can be changed whose
   * data is spoiled.
   * @returns undefined when nobody has the id.
   * @throws Problem conflict for the last administrator; unauthenticated or forbidden when the caller lost the right
   * while they waited.
   */
  async lockWithAdministrators({ id, keepsAdministrator, acting }: Lock): Promise<LockedAccount | undefined> {
    const caller = acting === undefined ? [] : [acting.principal.userId];
    const rows = await this.users.lockWithAdministrators([id, ...caller]);
    const locked = rows.map((row) => this.seals.trusted(row));
    if (acting !== undefined) await this.assertStillPermitted(locked, acting);
    const account = locked.find((row) => row.id === id);
    if (account !== undefined && !keepsAdministrator) assertNotLastAdministrator(account, locked);
    return account && { ...account, isWhole: rows.some((row) => row === account) };
  }

  /**
   * In the running transaction.
   * @returns false when the account is in that state already.
   * @throws Problem not-found; conflict for the last administrator who could unlock others.
   */
  async changeState(id: string, state: AccountState, acting: Acting): Promise<boolean> {
    const before = await this.lockWithAdministrators({ id, keepsAdministrator: state === 'active', acting });
    if (before === undefined) throw new Problem('not-found');
    if (before.isWhole && before.status === state) return false;
    await this.write({ ...before, status: state });
    return true;
  }

  /** In the running transaction, after `lockWithAdministrators()`. */
  changeRoles(before: AccountStatus, roles: readonly Role[]): Promise<void> {
    return this.write({ ...before, roles });
  }

  /** Acts on the person's next request, on every instance (ASVS v5.0.0-8.3.2). */
  private async write(account: AccountStatus): Promise<void> {
    await this.users.changeAuthority(account);
    await this.database.afterCommit(() => this.revocations.announce({ userId: account.id }));
  }

  /**
   * The guard let the caller in before the wait for the lock, in which they may have been demoted, disabled or signed
   * out (ASVS v5.0.0-8.3.2).
   */
  private async assertStillPermitted(
    locked: readonly AccountStatus[],
    { principal, permission }: NonNullable<Acting>,
  ): Promise<void> {
    const caller = locked.find(({ id }) => id === principal.userId);
    const isIn = caller?.status === 'active' && (await this.users.isSessionOpen(principal.sessionId));
    if (isIn && isPermitted(caller.roles, permission)) return;
    const details = { permission: permission.name, reason: isIn ? 'right-lost' : 'session-ended' };
    this.events.reportLater({ action: 'authz_fail', outcome: 'denied', actorId: principal.userId, details });
    throw isIn ? new Problem('forbidden') : unauthenticated();
  }
}

/** `isWhole`: the row is as the service wrote it. Of any other row, nothing but the id counts. */
type LockedAccount = AccountStatus & { readonly isWhole: boolean };

const isAdministrator = ({ roles, status }: AccountStatus): boolean => status === 'active' && roles.includes(admin);

/** @throws Problem conflict */
function assertNotLastAdministrator(account: AccountStatus, locked: readonly AccountStatus[]): void {
  if (isAdministrator(account) && locked.filter(isAdministrator).length === 1)
    throw new Problem('conflict', 'The last administrator has to stay one.');
}
