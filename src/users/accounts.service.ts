import { Injectable } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { PersonalData } from '../common/personal-data.js';
import type { Principal } from '../common/principal.js';
import { Problem } from '../common/problem.js';
import { SecurityEvents } from '../common/security-events.js';
import { Database } from '../database/index.js';
import type { ExportView } from './export.view.js';
import type { AccountView, UpdateAccount } from './users.dto.js';
import { UsersRepository } from './users.repository.js';

/** What people do with their own account. */
@Injectable()
export class AccountsService {
  constructor(
    private readonly users: UsersRepository,
    private readonly database: Database,
    private readonly events: SecurityEvents,
    private readonly personalData: PersonalData,
    private readonly clock: Clock,
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

  /** All personal data that the service has of the caller (GDPR articles 15 and 20). */
  async export(principal: Principal): Promise<ExportView> {
    await this.events.record({ action: 'sensitive_read', outcome: 'success', target: self(principal), details: { export: true } });
    const account = await this.account(principal);
    return { exportedAt: this.clock.now(), account, ...(await this.personalData.read(principal)) };
  }
}

const self = ({ userId }: Principal) => ({ type: 'user', id: userId });
