import { Injectable } from '@nestjs/common';
import { askOperator, declareNotice } from '../common/events/notice-texts.js';
import { Cursors, type PageQuery } from '../common/http/cursors.js';
import { maskEmail, maskPhone } from '../common/masking.js';
import { admin, user, type Role } from '../common/access/permissions.js';
import type { Person } from '../common/access/principal.js';
import { Problem } from '../common/http/problem.js';
import { SecurityEvents } from '../common/events/security-events.js';
import { Database } from '../database/index.js';
import type { UserListView, UserView } from './users.dto.js';
import { AccountLock } from './account-lock.js';
import { userPermissions } from './users.permissions.js';
import { UsersRepository, type NewUser } from './users.repository.js';

declareNotice(
  'authz_change',
  askOperator('Your roles were changed', 'The roles of your account were changed by an administrator.'),
);

/** Who has an account: for administrators, who see others masked and give and take roles, and for other features. */
@Injectable()
export class UsersService {
  constructor(
    private readonly users: UsersRepository,
    private readonly lock: AccountLock,
    private readonly database: Database,
    private readonly events: SecurityEvents,
    private readonly cursors: Cursors,
  ) {}

  async list(principal: Person, page: PageQuery): Promise<UserListView> {
    const { items, ...cursors } = await this.cursors.page(principal, ['users'], page, (keyset) =>
      this.users.list(principal, keyset),
    );
    return { items: items.map(masked), ...cursors };
  }

  async find(principal: Person, id: string): Promise<UserView> {
    return masked(found(await this.users.find(principal, id)));
  }

  /** Acts on the user's next request, whatever tokens are out (ASVS v5.0.0-8.3.2). */
  async changeRoles(principal: Person, id: string, roles: readonly Role[]): Promise<UserView> {
    // Nobody raises themselves: an administrator's stolen session must not be able to dig in (abuse case A5-5).
    if (id === principal.userId) {
      this.events.reportLater({
        action: 'authz_fail',
        outcome: 'denied',
        target: account(id),
        details: { reason: 'own-roles' },
      });
      throw new Problem('forbidden', 'Another administrator has to change your roles.');
    }
    if (!roles.includes(user)) throw roleMissing();
    return this.database.transaction(async () => {
      const acting = { principal, permission: userPermissions.grant };
      const before = found(
        await this.lock.lockWithAdministrators({ id, keepsAdministrator: roles.includes(admin), acting }),
      );
      await this.lock.changeRoles(before, roles);
      await this.events.recordInTransaction({
        action: 'authz_change',
        outcome: 'success',
        target: account(id),
        details: { from: before.roles, to: roles },
      });
      return masked(found(await this.users.find(principal, id)));
    });
  }

  /** For operators: the first administrator is made on the machine, never by a seed or a default account. */
  async grant(email: string, role: Role): Promise<'granted' | 'present' | 'unknown'> {
    return this.database.transaction(async () => {
      const person = await this.users.findByEmail(email);
      const before =
        person === null
          ? undefined
          : await this.lock.lockWithAdministrators({ id: person.id, keepsAdministrator: true, acting: undefined });
      if (before === undefined) return 'unknown';
      if (before.roles.includes(role)) return 'present';
      await this.lock.changeRoles(before, [...before.roles, role]);
      await this.events.recordInTransaction({
        action: 'authz_change',
        outcome: 'success',
        target: account(before.id),
        details: { granted: role, by: 'operator' },
      });
      return 'granted';
    });
  }

  /** Undefined when nobody has the id. */
  async emailOf(id: string): Promise<string | undefined> {
    return (await this.users.findEmail(id))?.email;
  }

  /** Reads no sealed cell, so that it costs the same whether or not somebody has the address (ASVS v5.0.0-6.3.8). */
  async idOf(email: string): Promise<string | undefined> {
    return (await this.users.findByEmail(email))?.id;
  }

  /** The same of an account that can be signed in to. */
  async activeIdOf(email: string): Promise<string | undefined> {
    const person = await this.users.findByEmail(email);
    return person?.status === 'active' ? person.id : undefined;
  }

  /** In the transaction that records it. @throws an error that `isUniqueViolation` recognises. */
  create(account: NewUser): Promise<void> {
    return this.users.create(account);
  }

  /** In the transaction that records it. @throws an error that `isUniqueViolation` recognises. */
  changeEmail(id: string, email: string): Promise<void> {
    return this.users.changeEmail(id, email);
  }
}

const account = (id: string) => ({ type: 'user', id });

const masked = <U extends { email: string; phone: string | null }>(row: U): U => ({
  ...row,
  email: maskEmail(row.email),
  phone: row.phone === null ? null : maskPhone(row.phone),
});

const found = <T>(row: T | null | undefined): T => {
  if (row === null || row === undefined) throw new Problem('not-found');
  return row;
};

const roleMissing = () =>
  new Problem('validation-failed', undefined, {
    errors: [
      {
        pointer: '/roles',
        code: 'role-missing',
        message: 'roles must contain user: disable an account to lock it out',
      },
    ],
  });
