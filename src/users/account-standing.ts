import { Injectable } from '@nestjs/common';
import { AuthoritySeals, type Sealed, type Standing } from '../common/authority-seals.js';
import { isPermitted, type Permission, type Role } from '../common/permissions.js';
import type { Principal } from '../common/principal.js';
import { Problem } from '../common/problem.js';
import { SecurityEvents } from '../common/security-events.js';
import { PrincipalChanges } from '../common/session-revocation.js';
import { Database } from '../database/index.js';
import { UsersRepository } from './users.repository.js';

export const accountStates = ['active', 'disabled'] as const;
export type AccountState = (typeof accountStates)[number];

/** Who asks, and for what; undefined is an operator on the machine, behind its own access control. */
export type Acting = { readonly principal: Principal; readonly permission: Permission } | undefined;

interface Lock {
  readonly id: string;
  /** Whether the person may go on as an administrator after the change, if they are one. */
  readonly keepsAdministrator: boolean;
  readonly acting: Acting;
}

/** What accounts may do, and who may change that. What else a lock means (sessions, tokens) is for whoever calls. */
@Injectable()
export class AccountStanding {
  constructor(
    private readonly users: UsersRepository,
    private readonly seals: AuthoritySeals,
    private readonly events: SecurityEvents,
    private readonly database: Database,
    private readonly changes: PrincipalChanges,
  ) {}

  /**
   * First in every transaction that gives or takes a right of somebody else, or deletes an account. The person, all administrators and
   * the caller are locked together, and what is returned was read under that lock: whoever reads first decides by what was. The last
   * administrator has to stay one. Opens no cell: accounts can be changed whose data is spoiled.
   * @returns undefined when nobody has the id.
   * @throws Problem conflict for the last administrator; unauthenticated or forbidden when the caller lost the right while they waited.
   */
  async lock({ id, keepsAdministrator, acting }: Lock): Promise<(Standing & { readonly isWhole: boolean }) | undefined> {
    const rows = await this.users.lockWithAdministrators([id, ...(acting === undefined ? [] : [acting.principal.userId])]);
    const locked = rows.map((row) => this.seals.trusted(row));
    if (acting !== undefined) await this.assertStillPermitted(locked, acting);
    const person = locked.find((row) => row.id === id);
    const isLast = person !== undefined && isAdministrator(person) && locked.filter(isAdministrator).length === 1;
    if (isLast && !keepsAdministrator) throw new Problem('conflict', 'The last administrator has to stay one.');
    return person && { ...person, isWhole: rows.some((row) => row === person) };
  }

  /**
   * In the running transaction.
   * @returns false when the account is in that state already.
   * @throws Problem not-found; conflict for the last administrator who could unlock others.
   */
  async change(id: string, state: AccountState, acting: Acting): Promise<boolean> {
    const before = await this.lock({ id, keepsAdministrator: state === 'active', acting });
    if (before === undefined) throw new Problem('not-found');
    if (before.isWhole && before.status === state) return false;
    await this.write({ ...before, status: state });
    return true;
  }

  /** In the running transaction, after `lock()`. */
  changeRoles(before: Standing, roles: readonly Role[]): Promise<void> {
    return this.write({ ...before, roles });
  }

  /** Acts on the person's next request, on every instance (ASVS v5.0.0-8.3.2). */
  private async write(standing: Standing): Promise<void> {
    await this.users.changeStanding(standing);
    await this.database.afterCommit(() => this.changes.announce(standing.id));
  }

  /** The guard let the caller in before the wait for the lock, in which they may have been demoted, locked or signed out (ASVS v5.0.0-8.3.2). */
  private async assertStillPermitted(locked: readonly Standing[], { principal, permission }: NonNullable<Acting>): Promise<void> {
    const caller = locked.find(({ id }) => id === principal.userId);
    const isIn = caller?.status === 'active' && (await this.users.isSessionOpen(principal.sessionId));
    if (isIn && isPermitted(caller.roles, permission)) return;
    const details = { permission, reason: isIn ? 'right-lost' : 'session-ended' };
    this.events.report({ action: 'authz_fail', outcome: 'denied', actorId: principal.userId, details });
    if (isIn) throw new Problem('forbidden');
    throw new Problem('unauthenticated', undefined, { headers: { 'WWW-Authenticate': 'Bearer' } });
  }
}

const isAdministrator = ({ roles, status }: Pick<Sealed<Standing>, 'roles' | 'status'>): boolean => status === 'active' && roles.includes('admin');
