import { Injectable } from '@nestjs/common';
import { Database } from '../../database/index.js';

/** One at a time for each person: what changes how they sign in, and what begins a session by it. */
@Injectable()
export class PersonLock {
  constructor(private readonly database: Database) {}

  /**
   * One transaction, which waits for every other one of that person first. Whoever needs rows of the person beside it takes them after
   * this one: in another order two could wait for each other.
   */
  hold<T>(userId: string, work: () => Promise<T>): Promise<T> {
    return this.database.transaction(async () => {
      await this.database.client.$queryRaw`SELECT id FROM users WHERE id = ${userId}::uuid FOR NO KEY UPDATE`;
      return work();
    });
  }
}
