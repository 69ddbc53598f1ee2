import { Injectable } from '@nestjs/common';
import { Database } from '../database/index.js';
import type { Delivery } from './verification.js';

/** Deliveries that were handled. */
@Injectable()
export class DeliveriesRepository {
  constructor(private readonly database: Database) {}

  /** False when it was claimed before. Waits for a transaction that claims the same at this moment. */
  async claim({ source, id, expiresAt }: Delivery): Promise<boolean> {
    const data = [{ source, deliveryId: id, expiresAt }];
    const { count } = await this.database.client.webhookDelivery.createMany({ data, skipDuplicates: true });
    return count === 1;
  }

  async deleteExpired(now: Date): Promise<void> {
    await this.database.client.webhookDelivery.deleteMany({ where: { expiresAt: { lte: now } } });
  }
}
