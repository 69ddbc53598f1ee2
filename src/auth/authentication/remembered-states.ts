import type { Clock } from '../../common/clock.js';
import type { Principal } from '../../common/access/principal.js';
import { idOf, isConcerned, type Revocation } from '../../common/access/revocations.js';
import { rememberedMs, type SharedState } from '../../shared-state/index.js';
import { BoundedCache } from './bounded-cache.js';

const remembered = 10_000;

interface Entry<State> {
  readonly state: State | undefined;
  readonly readAt: number;
}

/**
 * What each session, or each machine, allows now, remembered for at most 2 seconds. A revocation empties it on every
 * instance before it is answered; an instance that would not hear of one remembers nothing (ASVS v5.0.0-7.4.1, 8.3.2).
 */
export class RememberedStates<State extends { readonly principal: Principal }> {
  private readonly entries = new BoundedCache<string, Entry<State>>(remembered);
  private received = 0;

  /** @param load by the id of the session or machine. A database that is down throws. */
  constructor(
    private readonly load: (id: string) => Promise<State | undefined>,
    private readonly sharedState: SharedState,
    private readonly clock: Clock,
  ) {}

  async find(id: string): Promise<State | undefined> {
    const now = this.clock.now().getTime();
    const known = this.entries.get(id);
    const age = known === undefined ? -1 : now - known.readAt;
    return known !== undefined && age >= 0 && age < rememberedMs ? known.state : this.read(id, now);
  }

  /** To be called with every revocation that this instance hears of. */
  forget(revocation: Revocation): void {
    this.received += 1;
    const id = idOf(revocation);
    if (id !== undefined) this.entries.delete(id);
    else this.entries.deleteWhere(({ state }) => state === undefined || isConcerned(state.principal, revocation));
  }

  private async read(id: string, readAt: number): Promise<State | undefined> {
    const before = this.received;
    const state = await this.load(id);
    // A revocation that arrived during the read may be younger than the row: then nothing is remembered.
    if (before === this.received && this.sharedState.isListening) this.entries.set(id, { state, readAt });
    return state;
  }
}
