import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Revocations } from '../../common/access/revocations.js';
import { Clock } from '../../common/clock.js';
import { defineAction, SecurityEvents } from '../../common/events/security-events.js';
import { createAddressCheck } from '../../common/http/client-address.js';
import { defineProblemType, Problem } from '../../common/http/problem.js';
import { RequestCounter, type Arrival } from '../../common/http/request-counter.js';
import { RestrictionsRepository, type Restriction } from './restrictions.repository.js';

/** Two of them are within the second in which every instance obeys, with no Redis between them. */
const readEveryMs = 400;

const requestBlocked = defineAction('response_request_blocked');
const addressBlocked = defineProblemType('address-blocked', {
  status: 403,
  title: 'Requests from this address are not answered for a time',
  cause: 'An operator has blocked the network that the request came from, because of an attack from it.',
  remedy: 'Wait, or ask the operators. From another network the service answers as before.',
  isAnywhere: true,
});

interface Obeyed {
  readonly isBlocked: (address: string) => boolean;
  /** Milliseconds; 0 for none. */
  readonly lockdownUntil: number;
  readonly rechecks: ReadonlySet<string>;
}

const nothing: Obeyed = { isBlocked: () => false, lockdownUntil: 0, rechecks: new Set() };

/** What operators have set, as this instance knows it: read from the database, so that no message can be missed. */
@Injectable()
export class Restrictions implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger('Restrictions');
  private obeyed = nothing;
  private timer: NodeJS.Timeout | undefined;
  private isFailing = false;

  constructor(
    private readonly repository: RestrictionsRepository,
    private readonly revocations: Revocations,
    private readonly events: SecurityEvents,
    private readonly clock: Clock,
    counter: RequestCounter,
  ) {
    counter.countBy((arrival) => this.assertNotBlocked(arrival));
  }

  /** @returns until when nothing is written; undefined when there is no lockdown. */
  lockdownUntil(): Date | undefined {
    const { lockdownUntil } = this.obeyed;
    return lockdownUntil > this.clock.now().getTime() ? new Date(lockdownUntil) : undefined;
  }

  /** A service that comes up in an incident obeys from its first request on: when it cannot read, it does not start. */
  async onApplicationBootstrap(): Promise<void> {
    await this.read();
    this.schedule();
  }

  onApplicationShutdown(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private schedule(): void {
    this.timer = setTimeout(() => {
      void this.refresh().finally(() => {
        if (this.timer !== undefined) this.schedule();
      });
    }, readEveryMs).unref();
  }

  /** While the database is away, what was set stays until its time is over. */
  private async refresh(): Promise<void> {
    try {
      await this.read();
      this.isFailing = false;
    } catch (error) {
      if (!this.isFailing) this.logger.error('restrictions could not be read; the last known ones count', error);
      this.isFailing = true;
    }
  }

  private async read(): Promise<void> {
    const now = this.clock.now();
    const before = this.obeyed;
    this.obeyed = obeyedOf(await this.repository.active(now), () => this.clock.now().getTime());
    for (const id of this.obeyed.rechecks)
      if (before !== nothing && !before.rechecks.has(id)) return this.revocations.announce('everyone');
  }

  /** Before anything else is done for the request, on the public listeners: health checks come from inside. */
  private async assertNotBlocked({ listener, address }: Arrival): Promise<void> {
    if (listener !== 'public' || !this.obeyed.isBlocked(address)) return;
    this.events.reportLater({ action: requestBlocked, outcome: 'denied' });
    throw new Problem(addressBlocked, undefined, { headers: { connection: 'close' } });
  }
}

function obeyedOf(active: readonly Restriction[], now: () => number): Obeyed {
  const blocks = active.flatMap(({ network, expiresAt }) =>
    network === null ? [] : [{ matches: createAddressCheck([network]), until: expiresAt.getTime() }],
  );
  return {
    isBlocked: (address) => blocks.some(({ matches, until }) => until > now() && matches(address)),
    lockdownUntil: Math.max(0, ...active.map(({ kind, expiresAt }) => (kind === 'lockdown' ? expiresAt.getTime() : 0))),
    rechecks: new Set(active.flatMap(({ kind, id }) => (kind === 'recheck' ? [id] : []))),
  };
}
