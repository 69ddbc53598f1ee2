import { Injectable } from '@nestjs/common';
import { declareNotice, secureAccount } from '../../../common/events/notice-texts.js';
import { defineAction, SecurityEvents } from '../../../common/events/security-events.js';
import { Database } from '../../../database/index.js';
import { Mailer } from '../../../mail/index.js';
import { UsersService } from '../../../users/index.js';
import { OneTimeTokens, type TokenFlow } from '../../one-time-tokens/one-time-tokens.service.js';
import { PasswordsService } from '../../password/passwords.service.js';
import { SessionsService } from '../../sessions/sessions.service.js';
import type { ResetPassword } from './recovery.dto.js';
import { noAccount, resetToken } from './recovery.mails.js';

const resetRequested = defineAction('authn_reset_requested');
const resetDone = declareNotice(
  defineAction('authn_password_reset'),
  secureAccount(
    'Your password was reset',
    'The password of your account was reset with a token from a mail, and all sessions were ended.',
  ),
);

export const passwordReset: TokenFlow<[string]> = {
  name: 'password-reset',
  purposes: ['password-reset'],
  // Long enough to find the mail, short enough that an open mailbox of later is no way in (ASVS v5.0.0-6.4.1).
  ttlMs: 15 * 60 * 1000,
  boundTo: ({ user }) => user?.email,
  exposedAs: 'tokens to reset a password',
};

/** A way back for whoever forgot the password and still has the mailbox. */
@Injectable()
export class PasswordResetService {
  constructor(
    private readonly tokens: OneTimeTokens,
    private readonly users: UsersService,
    private readonly passwords: PasswordsService,
    private readonly sessions: SessionsService,
    private readonly mailer: Mailer,
    private readonly database: Database,
    private readonly events: SecurityEvents,
  ) {}

  /**
   * Mails a token. Does the same for a known and an unknown address, down to the row and the mail (ASVS v5.0.0-6.3.8):
   * the token for an address without an account is mailed to nobody.
   */
  async forgot(email: string): Promise<void> {
    const userId = await this.users.activeIdOf(email);
    await this.database.transaction(async () => {
      const [{ id, token }] = await this.tokens.issue(passwordReset, { userId, address: email, boundTo: email });
      const target = userId === undefined ? { type: 'password-reset', id } : { type: 'user', id: userId };
      await this.events.recordInTransaction({ action: resetRequested, outcome: 'success', target });
      await this.mailer.send(email, userId === undefined ? noAccount : resetToken(token));
    });
  }

  /**
   * Sets the password, once per token, and ends every session. It signs nobody in, and the second factor stays due: a
   * mailbox alone is no proof of identity (ASVS v5.0.0-6.3.6, 6.4.3).
   * @throws Problem `malformed-request` for a token that is wrong, expired or used; `validation-failed` for the
   * password.
   */
  async reset({ token: text, password }: ResetPassword): Promise<void> {
    const token = await this.tokens.open(passwordReset, text);
    if (token.user === null) throw this.tokens.denied(passwordReset);
    const { id: userId } = token.user;
    // Hashed before the transaction: it takes long, and a transaction holds a connection.
    const hash = await this.passwords.hashNew(password, token.user);
    await this.sessions.changeCredential({ userId, action: resetDone }, async () => {
      if (!(await this.tokens.consume(token))) throw this.tokens.denied(passwordReset);
      await this.passwords.replace(userId, hash);
      return true;
    });
  }
}
