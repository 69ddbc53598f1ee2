import { Injectable } from '@nestjs/common';
import type { Principal } from '../../common/principal.js';
import { Problem } from '../../common/problem.js';
import { SecurityEvents } from '../../common/security-events.js';
import { CredentialChanges } from '../sessions/index.js';
import type { ChangePassword } from './password-change.dto.js';
import { Passwords } from './passwords.js';

/** A stolen session must not become a stolen account: the present password is asked once more (ASVS v5.0.0-6.2.3). */
@Injectable()
export class PasswordChange {
  constructor(
    private readonly passwords: Passwords,
    private readonly changes: CredentialChanges,
    private readonly events: SecurityEvents,
  ) {}

  /**
   * Ends all other sessions of the caller (ASVS v5.0.0-7.4.3).
   * @throws Problem `validation-failed`: 401 would tell clients that their access token is the fault.
   */
  async change({ userId, sessionId }: Principal, { oldPassword, newPassword }: ChangePassword): Promise<void> {
    const proof = await this.passwords.proveOwn(userId, oldPassword);
    if (proof === undefined) {
      const target = { type: 'user', id: userId };
      this.events.report({ action: 'authn_password_change', outcome: 'denied', target, details: { reason: 'password' } });
      throw wrongPassword();
    }
    const hash = await this.passwords.hashNew(newPassword, await this.passwords.ownerOf(userId), '/newPassword');
    await this.changes.apply({ userId, action: 'authn_password_change', except: sessionId }, async () => {
      // Hashing takes a moment, in which the owner may have reset the password that somebody else knows.
      if (!(await this.passwords.stillHolds(proof))) throw wrongPassword();
      await this.passwords.replace(userId, hash);
      return true;
    });
  }
}

const wrongPassword = () =>
  new Problem('validation-failed', undefined, {
    errors: [{ pointer: '/oldPassword', code: 'wrong-password', message: 'oldPassword is not your present password' }],
  });
