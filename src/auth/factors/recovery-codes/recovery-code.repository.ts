import { Injectable } from '@nestjs/common';
import { Clock } from '../../../common/clock.js';
import { Database, isChanged } from '../../../database/index.js';

@Injectable()
export class RecoveryCodeRepository {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  /** To be called under the lock of the person's factors: two at once would leave both sets. */
  async replace(userId: string, hashes: readonly string[]): Promise<void> {
    const createdAt = this.clock.now();
    await this.database.client.recoveryCode.deleteMany({ where: { userId } });
    await this.database.client.recoveryCode.createMany({ data: hashes.map((hash) => ({ userId, hash, createdAt })) });
  }

  /**
   * The hashes are sealed to person and row: one that was planted or copied by SQL does not open, and the sign-in
   * fails.
   */
  unused(userId: string) {
    return this.database.client.recoveryCode.findMany({
      where: { userId, usedAt: null },
      select: { id: true, hash: true },
    });
  }

  countUnused(userId: string): Promise<number> {
    return this.database.client.recoveryCode.count({ where: { userId, usedAt: null } });
  }

  /** Check and change are one statement: of many that present the code at once, one gets true (ASVS v5.0.0-6.5.1). */
  use(userId: string, id: string): Promise<boolean> {
    // The hash goes too: a used code does not count again because somebody clears the time in the database.
    const data = { usedAt: this.clock.now(), hash: 'used' };
    return isChanged(
      this.database.client.recoveryCode.update({ where: { id, userId, usedAt: null }, data, select: { id: true } }),
    );
  }

  /** Uses the code up; `work` commits with it, and does not run when another request was faster. */
  useInTransaction(userId: string, id: string, work: () => Promise<void>): Promise<void> {
    return this.database.transaction(async () => {
      if (await this.use(userId, id)) await work();
    });
  }

  /** Without the codes: whoever only counts needs no hash. */
  async stateOf(userId: string): Promise<{ left: number; createdAt: Date | null }> {
    const codes = await this.database.client.recoveryCode.findMany({
      where: { userId },
      select: { usedAt: true, createdAt: true },
    });
    return { left: codes.filter(({ usedAt }) => usedAt === null).length, createdAt: codes[0]?.createdAt ?? null };
  }
}
