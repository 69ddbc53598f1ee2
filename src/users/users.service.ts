import { Injectable } from '@nestjs/common';
import { Cursors, type PageQuery } from '../common/cursors.js';
import { maskEmail, maskPhone } from '../common/masking.js';
import type { Role } from '../common/permissions.js';
import type { Principal } from '../common/principal.js';
import { Problem } from '../common/problem.js';
import { SecurityEvents } from '../common/security-events.js';
import { Database } from '../database/index.js';
import type { UserListView, UserView } from './users.dto.js';
import { AccountStanding } from './account-standing.js';
import { UsersRepository } from './users.repository.js';

/** Administration: administrators see others masked, and give and take roles. */
@Injectable()
export class UsersService {
  constructor(
    private readonly users: UsersRepository,
    private readonly standing: AccountStanding,
    private readonly database: Database,
    private readonly events: SecurityEvents,
    private readonly cursors: Cursors,
  ) {}

  async list(principal: Principal, page: PageQuery): Promise<UserListView> {
    const { items, ...cursors } = await this.cursors.page(principal, ['users'], page, (keyset) => this.users.list(principal, keyset));
    return { items: items.map(masked), ...cursors };
  }

  async find(principal: Principal, id: string): Promise<UserView> {
    return masked(found(await this.users.find(principal, id)));
  }

  /** Acts on the user's next request, whatever tokens are out (ASVS v5.0.0-8.3.2). */
  async changeRoles(principal: Principal, id: string, roles: readonly Role[]): Promise<UserView> {
    // Nobody raises themselves: an administrator's stolen session must not be able to dig in (abuse case A5-5).
    if (id === principal.userId) {
      this.events.report({ action: 'authz_fail', outcome: 'denied', target: user(id), details: { reason: 'own-roles' } });
      throw new Problem('forbidden', 'Another administrator has to change your roles.');
    }
    if (!roles.includes('user')) throw roleMissing();
    return this.database.transaction(async () => {
      const acting = { principal, permission: 'user:grant' } as const;
      const before = found(await this.standing.lock({ id, keepsAdministrator: roles.includes('admin'), acting }));
      await this.standing.changeRoles(before, roles);
      await this.events.record({ action: 'authz_change', outcome: 'success', target: user(id), details: { from: before.roles, to: roles } });
      return masked(found(await this.users.find(principal, id)));
    });
  }

  /** For operators: the first administrator is made on the machine, never by a seed or a default account. */
  async grant(email: string, role: Role): Promise<'granted' | 'present' | 'unknown'> {
    return this.database.transaction(async () => {
      const person = await this.users.findByEmail(email);
      const before = person === null ? undefined : await this.standing.lock({ id: person.id, keepsAdministrator: true, acting: undefined });
      if (before === undefined) return 'unknown';
      if (before.roles.includes(role)) return 'present';
      await this.standing.changeRoles(before, [...before.roles, role]);
      await this.events.record({ action: 'authz_change', outcome: 'success', target: user(before.id), details: { granted: role, by: 'operator' } });
      return 'granted';
    });
  }

  /** For operators. */
  async idOf(email: string): Promise<string | undefined> {
    return (await this.users.findByEmail(email))?.id;
  }
}

const user = (id: string) => ({ type: 'user', id });

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
    errors: [{ pointer: '/roles', code: 'role-missing', message: 'roles must contain user: disable an account to lock it out' }],
  });
