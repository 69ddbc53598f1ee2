import { Injectable } from '@nestjs/common';
import type { Principal } from '../../common/principal.js';
import { SecurityEvents } from '../../common/security-events.js';
import { Database } from '../../database/index.js';
import { unauthenticated } from '../authentication/unauthenticated.js';
import { OneTimeTokens } from '../one-time-tokens/one-time-tokens.js';
import { EmailChangeMails } from './email-change-mails.js';
import { EmailChangeRepository, tokenUse } from './email-change.repository.js';

/** Another address for an account: it is the way back into it, so both mailboxes have to agree. */
@Injectable()
export class EmailChanges {
  constructor(
    private readonly repository: EmailChangeRepository,
    private readonly tokens: OneTimeTokens,
    private readonly mails: EmailChangeMails,
    private readonly database: Database,
    private readonly events: SecurityEvents,
  ) {}

  /** Does the same for an address that is free and for one that is taken, down to the row and the mails (ASVS v5.0.0-6.3.8). */
  async begin({ userId }: Principal, newEmail: string): Promise<void> {
    const oldEmail = await this.repository.emailOf(userId);
    if (oldEmail === undefined) throw unauthenticated();
    const change = { userId, oldEmail, newEmail };
    const forOld = this.tokens.create(tokenUse('old', change));
    const forNew = this.tokens.create(tokenUse('new', change));
    await this.repository.sweep();
    const taken = await this.repository.isTaken(newEmail);
    await this.database.transaction(async () => {
      await this.repository.replace({ userId, newEmail, oldTokenMac: forOld.mac, newTokenMac: forNew.mac });
      await this.events.record({ action: 'user_email_change_requested', outcome: 'success', target: { type: 'user', id: userId } });
      await this.mails.sendToOld(oldEmail, forOld.token);
      await (taken ? this.mails.sendTaken(newEmail) : this.mails.sendToNew(newEmail, forNew.token));
    });
  }
}
