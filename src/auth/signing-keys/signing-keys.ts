import { AsyncLocalStorage } from 'node:async_hooks';
import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Clock } from '../../common/clock.js';
import { Measures } from '../../common/events/measures.js';
import { SharedState } from '../../shared-state/index.js';
import { lookEveryMs, retiredKeptMs } from './lifetimes.js';
import { toSigningKey, type SigningKey } from './signing-key.js';
import { SigningKeyRepository } from './signing-key.repository.js';
import { SigningKeyRotation, signingKeysChanged } from './signing-key-rotation.js';

const unknownKeyLookMs = 1_000;

/**
 * The keys that sign our access tokens: sealed in the database, exactly one of them active, the same on every instance:
 * told by a message, and by looking, because messages get lost.
 */
@Injectable()
export class SigningKeys implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger('SigningKeys');
  /** What a look finds to do is not the deed of whoever's request provoked it. */
  private readonly outsideOfRequests = AsyncLocalStorage.snapshot();
  private keys: ReadonlyMap<string, SigningKey> = new Map();
  private activeId = '';
  private activeSince = Number.NaN;
  private loading: Promise<void> = Promise.resolve();
  private lookedAtMs = Number.NEGATIVE_INFINITY;
  private looking: Promise<void> = this.loading;
  private timer: NodeJS.Timeout | undefined;
  private failed = false;
  private stopped = false;

  constructor(
    private readonly repository: SigningKeyRepository,
    private readonly rotation: SigningKeyRotation,
    private readonly clock: Clock,
    sharedState: SharedState,
    measures: Measures,
  ) {
    measures.add({
      name: 'signing_key_age_seconds',
      help: 'Age of the key that signs access tokens.',
      read: () => (clock.now().getTime() - this.activeSince) / 1000,
    });
    sharedState.subscribe(signingKeysChanged, async () => {
      await this.look();
      if (this.failed) throw new Error('the signing keys could not be read');
    });
  }

  /** Without keys the service does not start. */
  async onApplicationBootstrap(): Promise<void> {
    await this.reload();
    this.timer = setInterval(() => void this.look(), lookEveryMs).unref();
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    this.stopped = true;
    await this.loading.catch(() => undefined);
  }

  /** The key that signs now. */
  get active(): SigningKey {
    const key = this.keys.get(this.activeId);
    if (key === undefined) throw new Error('there is no active signing key');
    return key;
  }

  /** Looked up among our own keys and nowhere else: a `kid` is never a path, a URL or a query (ASVS v5.0.0-9.1.3). */
  find(id: string): SigningKey | undefined {
    return this.keys.get(id);
  }

  list(): SigningKey[] {
    return [...this.keys.values()];
  }

  /**
   * One after another: the answer to an older question must not replace a newer one. When it rejects, the keys stay.
   */
  reload(): Promise<void> {
    this.loading = this.loading.catch(() => undefined).then(() => this.load());
    return this.loading;
  }

  /**
   * For a token whose key nobody here knows. Asks once a second at most: strangers can write any `kid` into a header.
   */
  async lookForUnknown(): Promise<void> {
    const now = performance.now();
    if (now - this.lookedAtMs >= unknownKeyLookMs) {
      this.lookedAtMs = now;
      this.looking = this.outsideOfRequests(() => this.reload());
    }
    await this.looking;
  }

  private async look(): Promise<void> {
    // A message may come late. Whoever finds no key then would make one in a database that others use by now.
    if (this.stopped) return;
    try {
      await this.reload();
      this.failed = false;
    } catch (error) {
      // Said once, not every two seconds.
      if (!this.failed)
        this.logger.error('the signing keys could not be read, and stay as they were; it is tried again', error);
      this.failed = true;
    }
  }

  private async load(): Promise<void> {
    let rows = await this.repository.list();
    if (!rows.some(({ state }) => state === 'active')) {
      await this.rotation.createFirst();
      rows = await this.repository.list();
    }
    const oldest = this.clock.now().getTime() - retiredKeptMs;
    const alive = rows.filter(
      ({ state, retiredAt }) => state !== 'retired' || (retiredAt !== null && retiredAt.getTime() > oldest),
    );
    if (alive.length < rows.length) await this.rotation.removeExpired();
    const fresh = await this.openUnknown(alive.map(({ id }) => id));
    this.keys = new Map(
      alive.flatMap(({ id }) => this.keys.get(id) ?? fresh.get(id) ?? []).map((key) => [key.id, key]),
    );
    const active = rows.find(({ state }) => state === 'active');
    this.activeId = active?.id ?? '';
    this.activeSince = active?.createdAt.getTime() ?? Number.NaN;
  }

  private async openUnknown(ids: string[]): Promise<ReadonlyMap<string, SigningKey>> {
    const unknown = ids.filter((id) => !this.keys.has(id));
    if (unknown.length === 0) return new Map();
    return new Map((await this.repository.privateKeysOf(unknown)).map((row) => [row.id, toSigningKey(row)]));
  }
}
