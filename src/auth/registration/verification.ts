import { Injectable } from '@nestjs/common';
import { SecurityEvents } from '../../common/security-events.js';
import { Database, isUniqueViolation } from '../../database/index.js';
import { OneTimeTokens } from '../one-time-tokens/one-time-tokens.js';
import { Passwords } from '../password/index.js';
import type { VerifyEmail } from './registration.dto.js';
import { RegistrationRepository, type Applicant } from './registration.repository.js';

const flow = 'registration';

/** The mailed token makes the user, with the password and the name that its holder chose. */
@Injectable()
export class Verification {
  constructor(
    private readonly repository: RegistrationRepository,
    private readonly tokens: OneTimeTokens,
    private readonly passwords: Passwords,
    private readonly database: Database,
    private readonly events: SecurityEvents,
  ) {}

  /**
   * Makes the user, once per token. It does not sign in: a mailbox alone is no proof of identity (ASVS v5.0.0-6.3.6).
   * @returns the id of the user.
   * @throws Problem `malformed-request` for a token that is wrong, expired or used; `validation-failed` for the password.
   */
  async verify({ token, password, name }: VerifyEmail): Promise<string> {
    const { tokenMac, ...applicant } = await this.open(token);
    const person = { ...applicant, name };
    // Hashed before the transaction: it takes long, and a transaction holds a connection.
    const hash = await this.passwords.hashNew(password, person);
    await this.database.transaction(() => this.createUser(person, { tokenMac, hash })).catch((error: unknown) => {
      throw isUniqueViolation(error) ? this.tokens.refuse(flow, error) : error;
    });
    return applicant.id;
  }

  /** The open registration of a genuine token. */
  async find(token: string) {
    const id = this.tokens.idIn(token);
    const applicant = id === undefined ? null : await this.repository.findOpen(id);
    if (applicant === null) return undefined;
    return this.tokens.matches(token, { flow, id: applicant.id, address: applicant.email }, applicant.tokenMac) ? applicant : undefined;
  }

  private async open(token: string) {
    const applicant = await this.find(token);
    if (applicant === undefined) throw this.tokens.refuse(flow);
    return applicant;
  }

  private async createUser(person: Applicant & { name: string }, { tokenMac, hash }: { tokenMac: string; hash: string }): Promise<void> {
    const { id, email } = person;
    if (!(await this.repository.consume(id, tokenMac))) throw this.tokens.refuse(flow);
    await this.repository.deleteByEmail(email);
    await this.repository.createUser(person);
    await this.passwords.create(id, hash);
    await this.events.record({ action: 'user_created', outcome: 'success', actorId: id, target: { type: 'user', id } });
  }
}
