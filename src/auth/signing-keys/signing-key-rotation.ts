import { Injectable } from '@nestjs/common';
import { Clock } from '../../common/clock.js';
import { SecurityEvents } from '../../common/events/security-events.js';
import { Database } from '../../database/index.js';
import { SharedState } from '../../shared-state/index.js';
import { retiredKeptMs } from './lifetimes.js';
import { SigningKeyRepository } from './signing-key.repository.js';

/** Tells every instance to look at the table. */
export const signingKeysChanged = 'signing-keys-changed';

/**
 * The life of signing keys: next, active, retired, gone. Every step looks at the table under a lock before it changes
 * anything, so a rotation can be killed between any two of them, and two at once do no harm.
 */
@Injectable()
export class SigningKeyRotation {
  constructor(
    private readonly database: Database,
    private readonly repository: SigningKeyRepository,
    private readonly events: SecurityEvents,
    private readonly sharedState: SharedState,
    private readonly clock: Clock,
  ) {}

  list() {
    return this.repository.list();
  }

  /** Makes the first key. Instances that start together queue at the lock, and all but one find what that one made. */
  createFirst(): Promise<void> {
    return this.change(async () => {
      if ((await this.repository.list()).some(({ state }) => state === 'active')) return;
      const { id } = await this.repository.create('active', this.clock.now());
      await this.record({ activeKey: id });
    });
  }

  /** The key that comes next: published from now on, and used for nothing. Made, unless an earlier run has left one. */
  prepare(): Promise<{ id: string; createdAt: Date }> {
    return this.change(async () => {
      const present = (await this.repository.list()).find(({ state }) => state === 'next');
      if (present !== undefined) return present;
      const next = await this.repository.create('next', this.clock.now());
      await this.record({ nextKey: next.id });
      return next;
    });
  }

  /** From now on the next key signs, and the old one verifies only. @returns false when another run has done it. */
  promote(id: string): Promise<boolean> {
    return this.change(async () => {
      if (!(await this.repository.isNext(id))) return false;
      await this.repository.replaceActive(id, this.clock.now());
      await this.record({ activeKey: id });
      return true;
    });
  }

  /**
   * For a key that leaked: no key but the new one counts any more, and no token but those that it signs. @returns its
   * id.
   */
  replaceAll(): Promise<string> {
    return this.change(async () => {
      const removed = await this.repository.deleteAll();
      const { id } = await this.repository.create('active', this.clock.now());
      await this.record({ activeKey: id, removed });
      return id;
    });
  }

  /** Deletes retired keys whose last token has expired: one that leaks later signs nothing that anybody accepts. */
  removeExpired(): Promise<number> {
    return this.locked(async () => {
      const removed = await this.repository.deleteRetired(new Date(this.clock.now().getTime() - retiredKeptMs));
      if (removed > 0) await this.record({ removed });
      return removed;
    });
  }

  private async change<T>(work: () => Promise<T>): Promise<T> {
    const result = await this.locked(work);
    await this.sharedState.publish(signingKeysChanged, '');
    return result;
  }

  private locked<T>(work: () => Promise<T>): Promise<T> {
    return this.database.transaction(async () => {
      await this.repository.lockChanges();
      return work();
    });
  }

  private record(details: Readonly<Record<string, string | number>>): Promise<void> {
    return this.events.recordInTransaction({
      action: 'crypt_key_rotated',
      outcome: 'success',
      details: { purpose: 'access-token-signature', ...details },
    });
  }
}
