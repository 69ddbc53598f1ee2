import { Injectable } from '@nestjs/common';
import type { Principal } from '../common/principal.js';
import { Problem } from '../common/problem.js';
import { AccountStanding } from './account-standing.js';
import { Erasure } from './erasure.js';

/** People who delete their own account. */
@Injectable()
export class AccountErasure {
  constructor(
    private readonly erasure: Erasure,
    private readonly standing: AccountStanding,
  ) {}

  /** @throws Problem conflict for the last administrator; unauthenticated or not-found when another request was faster. */
  async eraseCaller(principal: Principal): Promise<void> {
    const { userId: id } = principal;
    // As the database says now: the principal may be two seconds old, and a thief's request may have waited while its session was ended.
    const acting = { principal, permission: 'account:delete' } as const;
    const allowed = async () => void (await this.standing.lock({ id, keepsAdministrator: false, acting }));
    if (!(await this.erasure.erase(id, allowed))) throw new Problem('not-found');
  }
}
