import { Problem } from '../../common/problem.js';

const retryAfterSeconds = '5';

/** Lets a few pieces of work run at once and a few wait; everybody else is refused at once with 503. */
export class Gate {
  private running = 0;
  private readonly waiting: (() => void)[] = [];

  constructor(
    private readonly places: number,
    private readonly queueLength: number,
  ) {}

  /** @throws Problem `unavailable` when all places and the queue are taken. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    await this.enter();
    try {
      return await work();
    } finally {
      // The place passes to the next in the queue, so that a newcomer cannot slip in between.
      const next = this.waiting.shift();
      if (next === undefined) this.running -= 1;
      else next();
    }
  }

  private enter(): Promise<void> | undefined {
    if (this.running < this.places) {
      this.running += 1;
      return undefined;
    }
    if (this.waiting.length >= this.queueLength) {
      throw new Problem('unavailable', 'Too many sign-ins at the moment.', { headers: { 'Retry-After': retryAfterSeconds } });
    }
    return new Promise((resolve) => this.waiting.push(resolve));
  }
}
