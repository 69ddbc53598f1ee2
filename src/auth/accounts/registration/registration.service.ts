import { Injectable } from '@nestjs/common';
import { defineAction, SecurityEvents } from '../../../common/events/security-events.js';
import { Database, isUniqueViolation } from '../../../database/index.js';
import { Mailer } from '../../../mail/index.js';
import { UsersService, type NewUser } from '../../../users/index.js';
import { OneTimeTokens, type OpenToken, type TokenFlow } from '../../one-time-tokens/one-time-tokens.service.js';
import { PasswordsService } from '../../password/passwords.service.js';
import type { VerifyEmail } from './registration.dto.js';
import { accountExists, nothingOpen, signUpToken } from './registration.mails.js';

const registered = defineAction('user_registered');

export const registration: TokenFlow<[string]> = {
  name: 'registration',
  purposes: ['registration'],
  // Long enough to find the mail, short enough that an open mailbox of later is no way in (ASVS v5.0.0-6.4.1).
  ttlMs: 30 * 60 * 1000,
  boundTo: ({ payload }) => payload ?? undefined,
  exposedAs: 'tokens to sign up',
};

/** A user exists only after somebody used the token that was mailed to the address. */
@Injectable()
export class RegistrationService {
  constructor(
    private readonly tokens: OneTimeTokens,
    private readonly users: UsersService,
    private readonly passwords: PasswordsService,
    private readonly mailer: Mailer,
    private readonly database: Database,
    private readonly events: SecurityEvents,
  ) {}

  /**
   * Does the same for a known and an unknown address, down to the row and the mail, so that neither the answer nor its
   * time tells who has an account (ASVS v5.0.0-6.3.8). Only the mails differ: for a known address nobody learns the
   * token.
   */
  async register(email: string): Promise<void> {
    const known = (await this.users.idOf(email)) !== undefined;
    await this.database.transaction(async () => {
      const [{ id, token }] = await this.tokens.issue(registration, { address: email, boundTo: email, payload: email });
      await this.events.recordInTransaction({
        action: registered,
        outcome: 'success',
        target: { type: 'registration', id },
      });
      await this.mailer.send(email, known ? accountExists : signUpToken(token));
    });
  }

  /**
   * Mails another token when a registration is open. Does the same, a mail included, when there is none, or an account.
   */
  async resend(email: string): Promise<void> {
    const known = (await this.users.idOf(email)) !== undefined;
    await this.database.transaction(async () => {
      const { id, token, isOpen } = await this.tokens.renew(registration, email);
      const target = { type: 'registration', id };
      await this.events.recordInTransaction({
        action: registered,
        outcome: 'success',
        target,
        details: { again: true },
      });
      if (known) return this.mailer.send(email, accountExists);
      return this.mailer.send(email, isOpen ? signUpToken(token) : nothingOpen);
    });
  }

  /**
   * Makes the user with the password and the name that the holder of the token chose, once per token. It does not sign
   * in: a mailbox alone is no proof of identity (ASVS v5.0.0-6.3.6).
   * @returns the id of the user.
   * @throws Problem `malformed-request` for a token that is wrong, expired or used; `validation-failed` for the
   * password.
   */
  async verify({ token: text, password, name }: VerifyEmail): Promise<string> {
    const token = await this.tokens.open(registration, text);
    const account = { id: token.id, email: token.boundTo, name };
    // Hashed before the transaction: it takes long, and a transaction holds a connection.
    const hash = await this.passwords.hashNew(password, account);
    await this.database
      .transaction(() => this.create(token, account, hash))
      .catch((error: unknown) => {
        throw isUniqueViolation(error) ? this.tokens.denied(registration, error) : error;
      });
    return account.id;
  }

  private async create(token: OpenToken, account: NewUser, hash: string): Promise<void> {
    if (!(await this.tokens.consume(token))) throw this.tokens.denied(registration);
    await this.users.create(account);
    const { id } = account;
    await this.passwords.create(id, hash);
    await this.events.recordInTransaction({
      action: 'user_created',
      outcome: 'success',
      actorId: id,
      target: { type: 'user', id },
    });
  }
}
