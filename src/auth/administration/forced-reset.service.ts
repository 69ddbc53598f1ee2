import { Injectable } from '@nestjs/common';
import { askOperator, declareNotice } from '../../common/events/notice-texts.js';
import { Problem } from '../../common/http/problem.js';
import { defineAction } from '../../common/events/security-events.js';
import { Database } from '../../database/index.js';
import { AccountLock, UsersService } from '../../users/index.js';
import { PasswordResetService } from '../accounts/recovery/password-reset.service.js';
import { AdministrationRepository } from './administration.repository.js';
import { AdministrationService } from './administration.service.js';
import { actingAs, administrationPermissions, type Caller } from './caller.js';

const resetForced = declareNotice(
  defineAction('authn_reset_forced'),
  askOperator(
    'Please choose a new password',
    'An administrator has asked you to reset the password of your account. ' +
      'Until then neither it nor a passkey signs anybody in. Afterwards sign in, ' +
      'and delete every passkey and authenticator app that you do not know.',
  ),
);

/**
 * A password that may be known to others. The administrator says so, and only its owner, by mail, chooses the next
 * (ASVS v5.0.0-6.4.6).
 */
@Injectable()
export class ForcedResetService {
  constructor(
    private readonly accounts: AccountLock,
    private readonly users: UsersService,
    private readonly administration: AdministrationService,
    private readonly repository: AdministrationRepository,
    private readonly recovery: PasswordResetService,
    private readonly database: Database,
  ) {}

  /**
   * Neither the password nor a passkey signs anybody in any more, every session ends, and the token for a new password
   * leaves by mail: all or nothing.
   * @throws Problem not-found; conflict for an account without a password.
   */
  async begin(caller: Caller, userId: string): Promise<void> {
    await this.database.transaction(async () => {
      const person = await this.accounts.lockWithAdministrators({
        id: userId,
        keepsAdministrator: true,
        acting: actingAs(caller, administrationPermissions.resetPassword),
      });
      const email = await this.users.emailOf(userId);
      if (person === undefined || email === undefined) throw new Problem('not-found');
      // First, because whoever resets a password locks the token before the password: in another order the two could
      // wait for each other.
      // A locked account has no way back but the administrator's; once it is open, its owner asks for a token.
      if (person.status === 'active') await this.recovery.forgot(email);
      if (!(await this.repository.demandReset(userId))) throw new Problem('conflict', 'The account has no password.');
      await this.administration.endAllOf(caller, userId, resetForced);
    });
  }
}
