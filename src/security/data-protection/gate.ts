import { Problem } from '../../common/http/problem.js';

const retryAfterSeconds = '5';

/**
 * For whom the work is done: a group of neighbours, and whether there is proof that somebody signed in from there
 * before.
 */
export interface Claimant {
  readonly group: string;
  readonly isKnown: boolean;
}

interface Waiter {
  readonly start: () => void;
  readonly reject: (problem: Problem) => void;
}

/**
 * Lets a few pieces of work run at once and a few wait; everybody else is refused at once with 503. Groups take turns,
 * and known ones have every second place: whoever floods from one network fills the line of that network, and keeps
 * nobody else out (ASVS v5.0.0-15.4.4).
 */
export class Gate {
  private running = 0;
  private readonly known: Line;
  private readonly unknown: Line;
  private isKnownNext = true;

  constructor(
    private readonly places: number,
    maxWaiting: number,
    maxWaitingPerGroup = maxWaiting,
  ) {
    this.known = new Line(maxWaiting, maxWaitingPerGroup);
    this.unknown = new Line(maxWaiting, maxWaitingPerGroup);
  }

  /** How much runs, and how much waits. */
  get load(): { readonly running: number; readonly waiting: number } {
    return { running: this.running, waiting: this.known.size + this.unknown.size };
  }

  /** @throws Problem `unavailable` when all places and the line are taken. */
  async run<T>(claimant: Claimant, work: () => Promise<T>): Promise<T> {
    await this.enter(claimant);
    try {
      return await work();
    } finally {
      // The place passes to the next in line, so that a newcomer cannot slip in between.
      const next = this.next();
      if (next === undefined) this.running -= 1;
      else next.start();
    }
  }

  private enter({ group, isKnown }: Claimant): Promise<void> | undefined {
    if (this.running < this.places) {
      this.running += 1;
      return undefined;
    }
    return new Promise((start, reject) => (isKnown ? this.known : this.unknown).add(group, { start, reject }));
  }

  private next(): Waiter | undefined {
    const [first, second] = this.isKnownNext ? [this.known, this.unknown] : [this.unknown, this.known];
    this.isKnownNext = !this.isKnownNext;
    return first.take() ?? second.take();
  }
}

/** Who waits, by group: one of each in turn. */
class Line {
  private readonly groups = new Map<string, Waiter[]>();
  size = 0;

  constructor(
    private readonly max: number,
    private readonly maxPerGroup: number,
  ) {}

  /**
   * Refuses it when its group has its share. In a full line, whoever came last of the largest group makes room for a
   * smaller one.
   */
  add(group: string, waiter: Waiter): void {
    const own = this.groups.get(group) ?? [];
    if (own.length >= this.maxPerGroup) return waiter.reject(busy());
    if (this.size >= this.max && !this.makeRoom(own.length + 1)) return waiter.reject(busy());
    own.push(waiter);
    this.groups.set(group, own);
    this.size += 1;
  }

  take(): Waiter | undefined {
    const [group, waiters] = this.groups.entries().next().value ?? [];
    if (group === undefined || waiters === undefined) return undefined;
    const waiter = waiters.shift();
    this.groups.delete(group);
    if (waiters.length > 0) this.groups.set(group, waiters);
    this.size -= 1;
    return waiter;
  }

  private makeRoom(than: number): boolean {
    let largest: Waiter[] = [];
    for (const waiters of this.groups.values()) if (waiters.length > largest.length) largest = waiters;
    if (largest.length <= than) return false;
    largest.pop()?.reject(busy());
    this.size -= 1;
    return true;
  }
}

const busy = () =>
  new Problem('unavailable', 'Too many sign-ins at the moment.', { headers: { 'Retry-After': retryAfterSeconds } });
