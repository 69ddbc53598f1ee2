import { Injectable } from '@nestjs/common';
import { Clock } from '../../../common/clock.js';
import { Database } from '../../../database/index.js';
import { AccountLock } from '../../../users/index.js';

/** From the step-up to the first code: whoever takes a session over later must not finish what was begun before. */
const enrolmentTtlMs = 10 * 60 * 1000;

/** A secret as it was read. `createdAt` tells it from one that took its place since. */
export interface StoredSecret {
  readonly userId: string;
  readonly secret: string;
  readonly createdAt: Date;
}

const fields = { userId: true, secret: true, createdAt: true } as const;

@Injectable()
export class TotpRepository {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly lock: AccountLock,
  ) {}

  /** Replaces a secret that waits for its first code. @returns false when one is in use. */
  begin(userId: string, secret: string): Promise<boolean> {
    return this.lock.hold(userId, async () => {
      if ((await this.inUseSince(userId)) !== null) return false;
      await this.database.client.totpAuthenticator.deleteMany({ where: { userId } });
      await this.database.client.totpAuthenticator.create({ data: { userId, secret, createdAt: this.clock.now() } });
      return true;
    });
  }

  findWaiting(userId: string): Promise<StoredSecret | null> {
    const createdAt = { gt: new Date(this.clock.now().getTime() - enrolmentTtlMs) };
    return this.database.client.totpAuthenticator.findFirst({
      where: { userId, confirmedAt: null, createdAt },
      select: fields,
    });
  }

  findConfirmed(userId: string): Promise<StoredSecret | null> {
    return this.database.client.totpAuthenticator.findFirst({
      where: { userId, confirmedAt: { not: null } },
      select: fields,
    });
  }

  /** The code that confirms is used up with it. @returns false when another request was faster. */
  async confirm({ userId, createdAt }: StoredSecret, step: number): Promise<boolean> {
    const { count } = await this.database.client.totpAuthenticator.updateMany({
      where: { userId, createdAt, confirmedAt: null },
      data: { confirmedAt: this.clock.now(), lastStep: step },
    });
    return count === 1;
  }

  /**
   * Check and change are one statement: of many that present a code at once, on all instances, one gets true (ASVS
   * v5.0.0-6.5.1).
   */
  async use({ userId, createdAt }: StoredSecret, step: number): Promise<boolean> {
    const { count } = await this.database.client.totpAuthenticator.updateMany({
      where: { userId, createdAt, confirmedAt: { not: null }, lastStep: { lt: step } },
      data: { lastStep: step },
    });
    return count === 1;
  }

  /** @returns false when there was none in use. */
  async remove(userId: string): Promise<boolean> {
    const { count } = await this.database.client.totpAuthenticator.deleteMany({
      where: { userId, confirmedAt: { not: null } },
    });
    return count === 1;
  }

  /** Since when the app is in use; null when none is. The secret stays closed. */
  async inUseSince(userId: string): Promise<Date | null> {
    const row = await this.database.client.totpAuthenticator.findUnique({
      where: { userId },
      select: { confirmedAt: true },
    });
    return row?.confirmedAt ?? null;
  }
}
