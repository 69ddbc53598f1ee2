import { Injectable, type ExecutionContext } from '@nestjs/common';

type Counter = (context: ExecutionContext) => Promise<void>;

/**
 * Whom authentication refuses never reaches the limits of guests behind it: it says so here, and those limits listen.
 */
@Injectable()
export class RefusedCallers {
  private readonly counters: Counter[] = [];

  onRefused(counter: Counter): void {
    this.counters.push(counter);
  }

  /** @throws Problem too-many-requests, instead of the refusal. */
  async count(context: ExecutionContext): Promise<void> {
    for (const counter of this.counters) await counter(context);
  }
}
