import { Injectable } from '@nestjs/common';
import type { Principal } from '../common/principal.js';
import { Problem } from '../common/problem.js';
import { SecurityEvents } from '../common/security-events.js';
import { Database } from '../database/index.js';
import type { AccountView, UpdateAccount } from './users.dto.js';
import { UsersRepository } from './users.repository.js';

/** What people do with their own account. */
@Injectable()
export class AccountsService {
  constructor(
    private readonly users: UsersRepository,
    private readonly database: Database,
    private readonly events: SecurityEvents,
  ) {}

  async account(principal: Principal): Promise<AccountView> {
    const account = await this.users.findAccount(principal);
    if (account === null) throw new Problem('not-found');
    return account;
  }

  update(principal: Principal, changes: UpdateAccount): Promise<AccountView> {
    return this.database.transaction(async () => {
      const account = await this.users.updateAccount(principal, changes);
      await this.events.record({ action: 'user_updated', outcome: 'success', target: self(principal), details: { fields: Object.keys(changes) } });
      return account;
    });
  }
}

const self = ({ userId }: Principal) => ({ type: 'user', id: userId });
