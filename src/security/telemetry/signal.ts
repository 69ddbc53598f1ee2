/** `again`: the other side may take it later. `refused`: it never will. */
export type Outcome = 'sent' | 'again' | 'refused';

export interface SignalRules<T> {
  /** What an item costs while it waits, in bytes, about. */
  readonly weigh: (item: T) => number;
  /** Never throws. */
  readonly send: (items: readonly T[]) => Promise<Outcome>;
}

const maxAtOnce = 256;
const maxWaitingBytes = 4 * 1024 * 1024;

/**
 * What waits to be sent, of one kind: bounded, and sent one request after another, so that a collector that is slow,
 * down or full costs this service a few MiB and nothing else (ASVS v5.0.0-16.2.4, 13.2.6).
 */
export class Signal<T> {
  /** What found no place, or was not taken. */
  dropped = 0;
  private waiting: T[] = [];
  private waitingBytes = 0;
  private sending: Promise<void> | undefined;
  private isPaused = false;

  constructor(private readonly rules: SignalRules<T>) {}

  add(item: T): void {
    const bytes = this.rules.weigh(item);
    if (this.waitingBytes + bytes > maxWaitingBytes) return void (this.dropped += 1);
    this.waiting.push(item);
    this.waitingBytes += bytes;
    // While the other side takes nothing only the timer tries.
    if (this.waiting.length >= maxAtOnce && !this.isPaused) void this.flush();
  }

  /** Sends what waits, until all has left or the other side takes no more. */
  flush(): Promise<void> {
    this.sending ??= this.run().finally(() => (this.sending = undefined));
    return this.sending;
  }

  private async run(): Promise<void> {
    this.isPaused = false;
    while (this.waiting.length > 0 && !this.isPaused) {
      const items = this.waiting.slice(0, maxAtOnce);
      const outcome = await this.rules.send(items);
      this.isPaused = outcome === 'again';
      if (outcome === 'again') return;
      if (outcome === 'refused') this.dropped += items.length;
      this.waiting.splice(0, items.length);
      this.waitingBytes -= items.reduce((sum, item) => sum + this.rules.weigh(item), 0);
    }
  }
}
