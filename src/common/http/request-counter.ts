import { Injectable } from '@nestjs/common';

export interface Arrival {
  readonly address: string;
  /**
   * Health and development pages are counted apart: no flood on the public side makes an orchestrator think that the
   * service is gone.
   */
  readonly listener: 'public' | 'internal';
  /** Adds an item to a header field of the answer. */
  readonly tell?: (name: string, item: string) => void;
}

type Rule = (arrival: Arrival) => Promise<void>;

/**
 * Where every listener has a request counted, once, before anything else is done for it: also plain HTTP, targets that
 * the router cannot read, and what the HTTP parser refuses. Rate limiting has the rule; without that practice
 * nothing is counted.
 */
@Injectable()
export class RequestCounter {
  private rule: Rule = async () => undefined;

  countBy(rule: Rule): void {
    this.rule = rule;
  }

  /** @throws Problem too-many-requests */
  count(arrival: Arrival): Promise<void> {
    return this.rule(arrival);
  }
}
