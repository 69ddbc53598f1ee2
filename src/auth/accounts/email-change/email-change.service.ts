import { Injectable } from '@nestjs/common';
import type { Person } from '../../../common/access/principal.js';
import { declareNotice, secureAccount } from '../../../common/events/notice-texts.js';
import { defineAction, SecurityEvents } from '../../../common/events/security-events.js';
import { unauthenticated } from '../../../common/http/problem.js';
import { Database, isUniqueViolation } from '../../../database/index.js';
import { Mailer } from '../../../mail/index.js';
import { AccountLock, UsersService } from '../../../users/index.js';
import { OneTimeTokens, type OpenToken, type TokenFlow } from '../../one-time-tokens/one-time-tokens.service.js';
import { SessionsService } from '../../sessions/sessions.service.js';
import { addressTaken, changed, notChanged, tokenForNew, tokenForOld } from './email-change.mails.js';

const changeRequested = defineAction('user_email_change_requested');
const emailChanged = declareNotice(
  defineAction('user_email_changed'),
  secureAccount(
    'Your e-mail address was changed',
    'The e-mail address of your account was changed, and all sessions were ended.',
  ),
);

const [forOld, forNew] = ['email-change-old', 'email-change-new'];

/** A token agrees to this change, from one address to the other, and to no other change. */
const bothAddresses = (oldEmail: string, newEmail: string): string => `${oldEmail} ${newEmail}`;

export const emailChange: TokenFlow<[string, string]> = {
  name: 'email-change',
  purposes: [forOld, forNew],
  // Two mailboxes have to be looked into, one of them maybe a new one.
  ttlMs: 2 * 60 * 60 * 1000,
  boundTo: ({ user, payload }) => (user === null || payload === null ? undefined : bothAddresses(user.email, payload)),
  exposedAs: 'tokens to change an address',
};

/** Another address for an account: it is the way back into it, so both mailboxes have to agree. */
@Injectable()
export class EmailChangeService {
  constructor(
    private readonly tokens: OneTimeTokens,
    private readonly users: UsersService,
    private readonly lock: AccountLock,
    private readonly sessions: SessionsService,
    private readonly mailer: Mailer,
    private readonly database: Database,
    private readonly events: SecurityEvents,
  ) {}

  /**
   * Does the same for an address that is free and for one that is taken, down to the rows and the mails (ASVS
   * v5.0.0-6.3.8). Under the lock, so that of two changes at once one is left, with both of its tokens.
   */
  async begin({ userId }: Person, newEmail: string): Promise<void> {
    const oldEmail = await this.users.emailOf(userId);
    if (oldEmail === undefined) throw unauthenticated();
    const isTaken = (await this.users.idOf(newEmail)) !== undefined;
    const request = { userId, address: oldEmail, boundTo: bothAddresses(oldEmail, newEmail), payload: newEmail };
    await this.lock.hold(userId, async () => {
      const [toOld, toNew] = await this.tokens.issue(emailChange, request);
      const target = { type: 'user', id: userId };
      await this.events.recordInTransaction({ action: changeRequested, outcome: 'success', target });
      await this.mailer.send(oldEmail, tokenForOld(toOld.token));
      await this.mailer.send(newEmail, isTaken ? addressTaken : tokenForNew(toNew.token));
    });
  }

  /**
   * Uses one of the two tokens, once. With the second one the address changes, and every session ends: whoever asked
   * may have been a thief, and whoever agreed can sign in with the new address. An address that somebody else got
   * meanwhile gives the same answer, and a mail tells the person.
   * @throws Problem `malformed-request` for a token that is wrong, expired or used.
   */
  async confirm(text: string): Promise<void> {
    const token = await this.tokens.open(emailChange, text);
    const { user, payload: newEmail } = token;
    if (user === null || newEmail === null) throw this.tokens.denied(emailChange);
    const { id: userId, email: oldEmail } = user;
    await this.sessions
      .changeCredential({ userId, action: emailChanged }, async () => {
        if (!(await this.agree(token))) return false;
        await this.users.changeEmail(userId, newEmail);
        // What was mailed to the old address is worth nothing any more.
        await this.tokens.deleteOf(userId);
        await this.mailer.send(oldEmail, changed);
        return true;
      })
      .catch(async (error: unknown) => {
        if (!isUniqueViolation(error)) throw error;
        await this.giveUp(userId, oldEmail);
      });
  }

  /** For the export of personal data: the change that waits, if there is one. */
  async pendingOf(userId: string) {
    const waiting = await this.tokens.listOf(emailChange, userId);
    const toOld = waiting.find(({ purpose }) => purpose === forOld);
    const toNew = waiting.find(({ purpose }) => purpose === forNew);
    if (toNew === undefined || toOld === undefined) return null;
    const { payload: newEmail, expiresAt, createdAt } = toNew;
    return { newEmail, oldConfirmedAt: toOld.usedAt, newConfirmedAt: toNew.usedAt, expiresAt, createdAt };
  }

  /** @returns false while the other side is missing. */
  private async agree(token: OpenToken): Promise<boolean> {
    if (!(await this.tokens.markUsed(token))) throw this.tokens.denied(emailChange);
    return this.tokens.areAllUsed(emailChange, token);
  }

  private giveUp(userId: string, email: string): Promise<void> {
    return this.database.transaction(async () => {
      await this.tokens.deleteOf(userId, emailChange);
      await this.mailer.send(email, notChanged);
    });
  }
}
