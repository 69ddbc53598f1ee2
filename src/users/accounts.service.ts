import type { Readable } from 'node:stream';
import { Injectable } from '@nestjs/common';
import type { Person } from '../common/access/principal.js';
import { Clock } from '../common/clock.js';
import { defineExportSection, ExportView, PersonalData } from '../common/events/personal-data.js';
import { SecurityEvents } from '../common/events/security-events.js';
import { OpenStreams, type StreamEnd } from '../common/http/open-streams.js';
import { Problem } from '../common/http/problem.js';
import { streamView, type Streamed } from '../common/http/view-stream.js';
import { Database } from '../database/index.js';
import { AccountLock } from './account-lock.js';
import { ErasureService } from './erasure.service.js';
import { AccountView, type UpdateAccount } from './users.dto.js';
import { accountPermissions } from './users.permissions.js';
import { UsersRepository } from './users.repository.js';

const accountSection = defineExportSection('account', { view: () => AccountView, models: ['User'] });

/** What people do with their own account. */
@Injectable()
export class AccountsService {
  constructor(
    private readonly users: UsersRepository,
    private readonly lock: AccountLock,
    private readonly erasure: ErasureService,
    private readonly personalData: PersonalData,
    private readonly database: Database,
    private readonly events: SecurityEvents,
    private readonly clock: Clock,
    private readonly streams: OpenStreams,
  ) {}

  async account(principal: Person): Promise<AccountView> {
    const account = await this.users.findAccount(principal);
    if (account === null) throw new Problem('not-found');
    return account;
  }

  update(principal: Person, changes: UpdateAccount): Promise<AccountView> {
    return this.database.transaction(async () => {
      const account = await this.users.updateAccount(principal, changes);
      await this.events.recordInTransaction({
        action: 'user_updated',
        outcome: 'success',
        target: self(principal),
        details: { fields: Object.keys(changes) },
      });
      return account;
    });
  }

  /**
   * @throws Problem conflict for the last administrator; unauthenticated or not-found when another request was faster.
   */
  async erase(principal: Person): Promise<void> {
    const { userId: id } = principal;
    // As the database says now: the principal may be two seconds old, and a thief's request may have waited while its
    // session was ended.
    const acting = { principal, permission: accountPermissions.delete };
    const allowed = async () =>
      void (await this.lock.lockWithAdministrators({ id, keepsAdministrator: false, acting }));
    if (!(await this.erasure.erase(id, allowed))) throw new Problem('not-found');
  }

  /**
   * All personal data that the service has of the caller (GDPR articles 15 and 20), read as fast as the caller takes
   * it. Each piece is as it was when it was read: one transaction for all of it would hold a connection of the database
   * for as long as a slow reader likes.
   */
  async export(principal: Person): Promise<Readable> {
    const details = { export: true };
    await this.events.recordInTransaction({
      action: 'sensitive_read',
      outcome: 'success',
      target: self(principal),
      details,
    });
    const document = streamView(ExportView, this.sections(principal, await this.account(principal)));
    const end = (why: StreamEnd) =>
      void (why === 'session-ended' && document.destroy(new Error('the session ended during its export')));
    document.once('close', this.streams.add({ principal, end }));
    return document;
  }

  private async *sections(principal: Person, account: AccountView): AsyncGenerator<readonly [string, Streamed], void> {
    yield ['exportedAt', this.clock.now()];
    yield [accountSection.name, account];
    yield* this.personalData.read(principal);
  }
}

const self = ({ userId }: Person) => ({ type: 'user', id: userId });
