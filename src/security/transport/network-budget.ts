import { networkOf } from '../../common/network.js';

const windowMilliseconds = 60_000;
/** Further networks of a window share one budget: neither memory nor the audit trail grows with what an attacker can rotate. */
const mostNetworks = 500;

/** Counts per network and minute, in bounded memory, for a listener in front of which no guard stands. */
export class NetworkBudget {
  private readonly used = new Map<string, number>();
  private windowEnd = 0;

  /** @returns how much its network has used in the running minute, this included. `now` is in milliseconds. */
  use(address: string, amount = 1, now = performance.now()): number {
    if (now >= this.windowEnd) {
      this.used.clear();
      this.windowEnd = now + windowMilliseconds;
    }
    const network = networkOf(address);
    const key = this.used.has(network) || this.used.size < mostNetworks ? network : 'further networks';
    const count = (this.used.get(key) ?? 0) + amount;
    this.used.set(key, count);
    return count;
  }
}
