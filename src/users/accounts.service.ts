import type { Readable } from 'node:stream';
import { Injectable } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { OpenStreams, type StreamEnd } from '../common/open-streams.js';
import { PersonalData } from '../common/personal-data.js';
import type { Principal } from '../common/principal.js';
import { Problem } from '../common/problem.js';
import { SecurityEvents } from '../common/security-events.js';
import { streamView, type Streamed } from '../common/view-stream.js';
import { Database } from '../database/index.js';
import { ExportView } from './export.view.js';
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
    private readonly streams: OpenStreams,
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

  /**
   * All personal data that the service has of the caller (GDPR articles 15 and 20), read as fast as the caller takes it. Each piece is as it
   * was when it was read: one transaction for all of it would hold a connection of the database for as long as a slow reader likes.
   */
  async export(principal: Principal): Promise<Readable> {
    await this.events.record({ action: 'sensitive_read', outcome: 'success', target: self(principal), details: { export: true } });
    const document = streamView(ExportView, this.sections(principal, await this.account(principal)));
    const end = (why: StreamEnd) => void (why === 'session-ended' && document.destroy(new Error('the session ended during its export')));
    document.once('close', this.streams.add({ principal, end }));
    return document;
  }

  private async *sections(principal: Principal, account: AccountView): AsyncGenerator<readonly [string, Streamed], void> {
    yield ['exportedAt', this.clock.now()];
    yield ['account', account];
    yield* this.personalData.read(principal);
  }
}

const self = ({ userId }: Principal) => ({ type: 'user', id: userId });
