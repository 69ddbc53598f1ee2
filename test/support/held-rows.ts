import pg from 'pg';
import { expect } from 'vitest';
import type { TestApp } from './app.js';
import { sealRows } from './seals.js';

/**
 * Rows that another transaction holds: requests of the service queue up for them, and go on together when they are let
 * go. On PostgreSQL alone, whose sessions wait for each other; they get a row in the order in which they came.
 */
export class HeldRows {
  private constructor(
    private readonly app: TestApp,
    private readonly client: pg.Client,
  ) {}

  /** @param select what to hold, without `FOR UPDATE`. */
  static async of(app: TestApp, select: string, values: unknown[] = []): Promise<HeldRows> {
    const client = new pg.Client({ connectionString: app.database.url });
    await client.connect();
    await client.query('BEGIN');
    await client.query(`${select} FOR UPDATE`, values);
    return new HeldRows(app, client);
  }

  /** What that transaction changes meanwhile, as the operator: sealed, and seen by others after `release()`. */
  async operate(text: string, values: unknown[] = []): Promise<void> {
    await this.client.query(text, values);
    await sealRows(this.app, (one, parts) => this.client.query(one, parts));
  }

  /** Returns when so many statements wait for a lock. */
  async untilWaiting(count: number): Promise<void> {
    const waiting = async () =>
      (
        await this.app.sql(
          `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
        )
      ).length;
    await expect.poll(waiting, { timeout: 20_000, interval: 20 }).toBe(count);
  }

  async release(): Promise<void> {
    await this.client.query('COMMIT');
    await this.client.end();
  }
}
