import { Injectable } from '@nestjs/common';
import { OneTimeTokens } from '../one-time-tokens/one-time-tokens.js';
import { Passwords } from '../password/index.js';
import { CredentialChanges } from '../sessions/index.js';
import type { ResetPassword } from './recovery.dto.js';
import { ResetRepository } from './reset.repository.js';

const flow = 'password-reset';

/** The mailed token sets the password, and proves nothing else. */
@Injectable()
export class Resetting {
  constructor(
    private readonly resets: ResetRepository,
    private readonly tokens: OneTimeTokens,
    private readonly passwords: Passwords,
    private readonly changes: CredentialChanges,
  ) {}

  /**
   * Sets the password, once per token, and ends every session. It signs nobody in, and the second factor stays due: a mailbox alone is
   * no proof of identity (ASVS v5.0.0-6.3.6, 6.4.3).
   * @throws Problem `malformed-request` for a token that is wrong, expired or used; `validation-failed` for the password.
   */
  async reset({ token, password }: ResetPassword): Promise<void> {
    const reset = await this.open(token);
    const userId = reset.owner.id;
    // Hashed before the transaction: it takes long, and a transaction holds a connection.
    const hash = await this.passwords.hashNew(password, reset.owner);
    await this.changes.apply({ userId, action: 'authn_password_reset' }, async () => {
      if (!(await this.resets.consume(reset))) throw this.tokens.refuse(flow);
      await this.passwords.replace(userId, hash);
      return true;
    });
  }

  /** The reset that a genuine token opens. */
  async find(token: string) {
    const id = this.tokens.idIn(token);
    const reset = id === undefined ? undefined : await this.resets.find(id);
    if (reset === undefined) return undefined;
    return this.tokens.matches(token, { flow, id: reset.id, address: reset.owner.email }, reset.tokenMac) ? reset : undefined;
  }

  private async open(token: string) {
    const reset = await this.find(token);
    if (reset === undefined) throw this.tokens.refuse(flow);
    return reset;
  }
}
