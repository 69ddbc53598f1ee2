import type { Readable } from 'node:stream';
import { Injectable } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { OpenStreams, type StreamEnd } from '../common/open-streams.js';
import { PersonalData } from '../common/personal-data.js';
import type { Principal } from '../common/principal.js';
import { SecurityEvents } from '../common/security-events.js';
import { streamView, type Streamed } from '../common/view-stream.js';
import { AccountsService } from './accounts.service.js';
import { ExportView } from './export.view.js';
import type { AccountView } from './users.dto.js';

/** What people get of everything that is known of them. */
@Injectable()
export class AccountExport {
  constructor(
    private readonly accounts: AccountsService,
    private readonly events: SecurityEvents,
    private readonly personalData: PersonalData,
    private readonly clock: Clock,
    private readonly streams: OpenStreams,
  ) {}

  /**
   * All personal data that the service has of the caller (GDPR articles 15 and 20), read as fast as the caller takes it. Each piece is as it
   * was when it was read: one transaction for all of it would hold a connection of the database for as long as a slow reader likes.
   */
  async create(principal: Principal): Promise<Readable> {
    await this.events.record({ action: 'sensitive_read', outcome: 'success', target: self(principal), details: { export: true } });
    const account = await this.accounts.account(principal);
    const document = streamView(ExportView, this.sections(principal, account));
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
