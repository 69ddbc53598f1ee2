import { Injectable } from '@nestjs/common';
import { notExported } from '../common/events/personal-data.js';
import { Database, type Insertion } from '../database/index.js';

/** What one key of one person has made. */
export interface Claim {
  readonly userId: string;
  readonly keyMac: string;
  readonly requestMac: string;
  /** The id of what was made. */
  readonly targetId: string;
  readonly expiresAt: Date;
}

const sweptAtOnce = 50;

notExported('IdempotencyKey', 'nothing of the person: a MAC, and the id of an object that has a section');

@Injectable()
export class IdempotencyRepository {
  constructor(private readonly database: Database) {}

  /** To be written with what it is about. */
  insertion(data: Claim): Insertion {
    return { model: 'IdempotencyKey', data };
  }

  find(userId: string, keyMacs: readonly string[], now: Date) {
    return this.database.client.idempotencyKey.findFirst({
      where: { userId, keyMac: { in: [...keyMacs] }, expiresAt: { gt: now } },
      select: { requestMac: true, targetId: true },
    });
  }

  /**
   * Deletes the expired keys of the person with these MACs, and some of others: more than a request makes, but a
   * bounded number, because somebody waits for the answer. Rows that another request deletes at the moment are left to
   * it.
   */
  async sweep(userId: string, keyMacs: readonly string[], now: Date): Promise<void> {
    await this.database.client.$executeRaw`
      DELETE FROM idempotency_keys
      WHERE expires_at <= ${now} AND (user_id = ${userId}::uuid AND key_mac = ANY (${keyMacs})
        OR (user_id, key_mac) IN (SELECT user_id, key_mac FROM idempotency_keys
          WHERE expires_at <= ${now} LIMIT ${sweptAtOnce} FOR UPDATE SKIP LOCKED))`;
  }
}
