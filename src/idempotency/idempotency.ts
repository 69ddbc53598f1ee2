import { Injectable } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { Macs } from '../common/macs.js';
import type { Principal } from '../common/access/principal.js';
import { defineProblemType, Problem } from '../common/http/problem.js';
import { isUniqueViolation, type Insertion } from '../database/index.js';
import type { IdempotentRequest } from './idempotency.dto.js';
import { IdempotencyRepository } from './idempotency.repository.js';

// A purpose of its own would be missing from every key ring that was made earlier, and stop its boot; the labels keep
// these MACs apart.
const purpose = 'one-time-token';
/** Longer than any client goes on trying. */
const claimTtlMs = 24 * 60 * 60 * 1000;

export const keyReused = defineProblemType('idempotency-key-reused', {
  status: 422,
  title: 'The Idempotency-Key was used for another request',
  cause: 'Within the last 24 hours the caller sent this `Idempotency-Key` with another body, or to another route.',
  remedy: 'Make a new key for each new request, for example a UUID. Repeat a key only with the very same request.',
});

/** A request that makes one object. */
export interface Making<T> {
  /** Names the route: a key counts for one. */
  readonly route: string;
  readonly headers: IdempotentRequest;
  readonly body: object;
  /** The id that the object gets if it is made. */
  readonly id: string;
  /** Makes it. The claims have to commit with the object, or neither: see `Database.insertAndRecord()`. */
  make(claims: readonly Insertion[]): Promise<T>;
  /** What an earlier request has made, as the caller may see it now; null when it is gone. */
  find(id: string): Promise<T | null>;
}

/**
 * Whoever lost the answer to a POST sends it again with the same `Idempotency-Key`, and gets what the first one has
 * made: nothing is made twice, in whatever order, on whatever instance, whenever the service was killed (ASVS
 * v5.0.0-2.3.3, 15.4.2).
 */
@Injectable()
export class Idempotency {
  constructor(
    private readonly claims: IdempotencyRepository,
    private readonly macs: Macs,
    private readonly clock: Clock,
  ) {}

  /**
   * @throws Problem idempotency-key-reused for a key that came with another request; conflict when what it made is
   * gone.
   */
  async once<T>(principal: Principal, making: Making<T>): Promise<T> {
    const key = making.headers['idempotency-key'];
    if (key === undefined) return making.make([]);
    const made = await this.earlier(principal, key, making);
    if (made !== undefined) return made;
    try {
      return await making.make([this.claims.insertion(this.claim(principal, key, making))]);
    } catch (error) {
      // A parallel request was faster: the insert waited for its commit, so that what it has made is there.
      const won = isUniqueViolation(error) ? await this.earlier(principal, key, making) : undefined;
      if (won === undefined) throw error;
      return won;
    }
  }

  private async earlier<T>(
    { userId }: Principal,
    key: string,
    { route, body, find }: Making<T>,
  ): Promise<T | undefined> {
    const [now, keyMacs] = [this.clock.now(), this.macs.keyedWithAllKeys(purpose, nameOf(userId, key))];
    await this.claims.sweep(userId, keyMacs, now);
    const claim = await this.claims.find(userId, keyMacs, now);
    if (claim === null) return undefined;
    const isSame = this.macs.keyedWithAllKeys(purpose, requestOf(route, body)).includes(claim.requestMac);
    if (!isSame) throw new Problem(keyReused);
    const made = await find(claim.targetId);
    if (made === null) throw new Problem('conflict', 'What this Idempotency-Key has made is gone.');
    return made;
  }

  private claim({ userId }: Principal, key: string, { route, body, id }: Making<unknown>) {
    return {
      userId,
      keyMac: this.macs.keyed(purpose, nameOf(userId, key)),
      requestMac: this.macs.keyed(purpose, requestOf(route, body)),
      targetId: id,
      expiresAt: new Date(this.clock.now().getTime() + claimTtlMs),
    };
  }
}

const nameOf = (userId: string, key: string): string => `idempotency-key ${userId} ${key}`;

/** After validation: all spellings of one request, such as another order of its fields, are one. */
const requestOf = (route: string, body: object): string => `idempotent-request ${route} ${JSON.stringify(body)}`;
