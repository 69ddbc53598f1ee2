import { randomUUIDv7 } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { SecurityEvents } from '../../common/security-events.js';
import { Database } from '../../database/index.js';
import { OneTimeTokens } from '../one-time-tokens/one-time-tokens.js';
import { RecoveryMails } from './recovery-mails.js';
import { ResetRepository } from './reset.repository.js';

/** A way back for whoever forgot the password and still has the mailbox. */
@Injectable()
export class Recovery {
  constructor(
    private readonly resets: ResetRepository,
    private readonly tokens: OneTimeTokens,
    private readonly mails: RecoveryMails,
    private readonly database: Database,
    private readonly events: SecurityEvents,
  ) {}

  /** Does the same for a known and an unknown address, down to the row and the mail (ASVS v5.0.0-6.3.8). Only the mails differ. */
  async forgot(email: string): Promise<void> {
    const id = randomUUIDv7();
    const { token, mac } = this.tokens.create({ flow: 'password-reset', id, address: email });
    await this.resets.sweep();
    const userId = await this.resets.findUserId(email);
    await this.database.transaction(async () => {
      await this.resets.replace({ id, email, userId, tokenMac: mac });
      const target = userId === null ? { type: 'password-reset', id } : { type: 'user', id: userId };
      await this.events.record({ action: 'authn_reset_requested', outcome: 'success', target });
      await (userId === null ? this.mails.sendNoAccount(email) : this.mails.sendToken(email, token));
    });
  }
}
