import { Injectable } from '@nestjs/common';
import { AuthoritySeals, type Sealed, type Standing } from '../../common/authority-seals.js';
import { Database } from '../../database/index.js';
import { unauthenticated } from '../authentication/unauthenticated.js';

/** One at a time for each person: what changes how they sign in, and what begins a session by it. */
@Injectable()
export class PersonLock {
  constructor(
    private readonly database: Database,
    private readonly seals: AuthoritySeals,
  ) {}

  /**
   * One transaction, which waits for every other one of that person first. Whoever needs rows of the person beside it takes them after
   * this one: in another order two could wait for each other.
   * @param work is told what the account may do, read under the lock.
   * @throws Problem unauthenticated when nobody has the id, when the account is locked, or was changed past the service: what was asked
   *   before the wait does not count (ASVS v5.0.0-8.3.2).
   */
  hold<T>(userId: string, work: (standing: Standing) => Promise<T>): Promise<T> {
    return this.database.transaction(async () => {
      const [row] = await this.database.client.$queryRaw<Sealed<Standing>[]>`
        SELECT id::text, roles, status, second_factors AS "secondFactors", authority_mac AS "authorityMac"
        FROM users WHERE id = ${userId}::uuid FOR NO KEY UPDATE`;
      const standing = row && this.seals.trusted(row);
      if (standing?.status !== 'active') throw unauthenticated();
      return work(standing);
    });
  }

  /** Inside of `hold()`: which second factors have to be there from now on. */
  async keepSecondFactors(standing: Standing, secondFactors: readonly string[]): Promise<void> {
    const authorityMac = this.seals.ofStanding({ ...standing, secondFactors });
    await this.database.client.user.updateMany({ where: { id: standing.id }, data: { secondFactors: [...secondFactors], authorityMac } });
  }
}
