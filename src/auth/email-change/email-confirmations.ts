import { Injectable } from '@nestjs/common';
import { isUniqueViolation } from '../../database/index.js';
import { Notices } from '../notices/index.js';
import { OneTimeTokens } from '../one-time-tokens/one-time-tokens.js';
import { CredentialChanges } from '../sessions/index.js';
import { EmailChangeMails } from './email-change-mails.js';
import { EmailChangeRepository, tokenUse, type PendingChange, type Side } from './email-change.repository.js';

const flow = 'email-change';

/** The two mailed tokens of a change, one from each mailbox. */
@Injectable()
export class EmailConfirmations {
  constructor(
    private readonly repository: EmailChangeRepository,
    private readonly tokens: OneTimeTokens,
    private readonly mails: EmailChangeMails,
    private readonly notices: Notices,
    private readonly changes: CredentialChanges,
  ) {}

  /**
   * Uses one of the two tokens, once. With the second one the address changes, and every session ends: whoever asked may have been a thief,
   * and whoever agreed can sign in with the new address. An address that somebody else got meanwhile gives the same answer, and a mail
   * tells the person.
   * @throws Problem `malformed-request` for a token that is wrong, expired or used.
   */
  async confirm(token: string): Promise<void> {
    const found = await this.find(token);
    if (found === undefined) throw this.tokens.refuse(flow);
    const { pending, side } = found;
    const change = { userId: pending.userId, action: 'user_email_changed' } as const;
    await this.changes.apply(change, () => this.use(side, pending)).catch(async (error: unknown) => {
      if (!isUniqueViolation(error)) throw error;
      await this.repository.giveUp(pending.userId, () => this.mails.sendNotDone(pending.oldEmail));
    });
  }

  /** The change that a genuine token agrees to, and which mailbox it was sent to. */
  async find(token: string): Promise<{ pending: PendingChange; side: Side } | undefined> {
    const userId = this.tokens.idIn(token);
    const pending = userId === undefined ? undefined : await this.repository.find(userId);
    const side = pending && this.sideOf(token, pending);
    return pending === undefined || side === undefined ? undefined : { pending, side };
  }

  private sideOf(token: string, pending: PendingChange): Side | undefined {
    if (this.tokens.matches(token, tokenUse('old', pending), pending.oldTokenMac)) return 'old';
    return this.tokens.matches(token, tokenUse('new', pending), pending.newTokenMac) ? 'new' : undefined;
  }

  /** @returns false while the other side is missing. */
  private async use(side: Side, pending: PendingChange): Promise<boolean> {
    if (!(await this.repository.confirm(side, pending))) throw this.tokens.refuse(flow);
    if (!(await this.repository.isComplete(pending.userId))) return false;
    await this.repository.apply(pending);
    // The event reaches the new address; the old one learns it too (ASVS v5.0.0-6.3.7).
    await this.notices.sendTo(pending.oldEmail, 'user_email_changed');
    return true;
  }
}
