import { randomUUIDv7 } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { SecurityEvents } from '../../common/security-events.js';
import { Database } from '../../database/index.js';
import { OneTimeTokens } from '../one-time-tokens/one-time-tokens.js';
import { RegistrationMails } from './registration-mails.js';
import { RegistrationRepository } from './registration.repository.js';
import type { Register } from './registration.dto.js';

const flow = 'registration';

/** A user exists only after somebody used the token that was mailed to the address. */
@Injectable()
export class Registrations {
  constructor(
    private readonly repository: RegistrationRepository,
    private readonly tokens: OneTimeTokens,
    private readonly mails: RegistrationMails,
    private readonly database: Database,
    private readonly events: SecurityEvents,
  ) {}

  /**
   * Does the same for a known and an unknown address, down to the row and the mail, so that neither the answer nor its time
   * tells who has an account (ASVS v5.0.0-6.3.8). Only the mails differ: for a known address nobody learns the token.
   */
  async register({ email }: Register): Promise<void> {
    const id = randomUUIDv7();
    const { token, mac } = this.tokens.create({ flow, id, address: email });
    await this.repository.sweep();
    const known = await this.repository.hasAccount(email);
    await this.database.transaction(async () => {
      await this.repository.replace({ id, email }, mac);
      await this.events.record({ action: 'user_registered', outcome: 'success', target: { type: 'registration', id } });
      await (known ? this.mails.sendAccountExists(email) : this.mails.sendToken(email, token));
    });
  }

  /** Mails another token when a registration is open. Does the same, a mail included, when there is none, or an account. */
  async resend(email: string): Promise<void> {
    const known = await this.repository.hasAccount(email);
    const openId = await this.repository.findOpenId(email);
    const id = openId ?? randomUUIDv7();
    const { token, mac } = this.tokens.create({ flow, id, address: email });
    await this.database.transaction(async () => {
      await this.repository.renew(id, mac);
      await this.events.record({ action: 'user_registered', outcome: 'success', target: { type: 'registration', id }, details: { again: true } });
      if (known) return this.mails.sendAccountExists(email);
      return openId === undefined ? this.mails.sendNothingOpen(email) : this.mails.sendToken(email, token);
    });
  }
}
