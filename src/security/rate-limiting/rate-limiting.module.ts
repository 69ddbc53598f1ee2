// Threat: floods, guessing, harvesting, mail bombs (OWASP API4, API6; ASVS V2.4, V6.3).
// Does: counts every request of every listener, also what the HTTP parser refuses, by the table in limits.ts, on all
// instances alike; answers 429.
// Does not: stop a distributed flood; that is the gateway's and the network's part.
// Remove: npm run remove rate-limiting; a gateway in front has to count then.
import { Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { ThrottlerModule } from '@nestjs/throttler';
import { KnownDevices } from '../../common/access/known-devices.js';
import { RequestCounter } from '../../common/http/request-counter.js';
import { SharedState } from '../../shared-state/index.js';
import { CallerLimitGuard, LimitLists, RouteLimitGuard } from './limit.guard.js';
import { LimitKeys } from './limit-keys.js';
import { Limiter } from './limiter.js';
import { LimiterStorage } from './limiter-storage.js';
import { everyRequest, internalRequest } from './limits.js';

const throttler = ThrottlerModule.forRootAsync({
  inject: [SharedState],
  // Which limits count for a request is decided by limits.ts; the list of the module is not used.
  useFactory: (state: SharedState) => ({ throttlers: [], storage: new LimiterStorage(state) }),
});

/** Stands before authentication in app.module.ts. */
@Module({
  imports: [throttler],
  providers: [KnownDevices, Limiter, LimitKeys, LimitLists, { provide: APP_GUARD, useClass: RouteLimitGuard }],
})
export class NetworkLimitsModule {
  constructor(limiter: Limiter, counter: RequestCounter) {
    // No guard: guards do not see unknown routes, and the body has been parsed when they run. The listeners ask, before
    // all else.
    counter.countBy((arrival) =>
      limiter.countArrival(arrival.listener === 'public' ? everyRequest : internalRequest, arrival),
    );
  }
}

/** Stands after authentication in app.module.ts. */
@Module({
  imports: [throttler],
  providers: [KnownDevices, Limiter, LimitKeys, LimitLists, { provide: APP_GUARD, useClass: CallerLimitGuard }],
})
export class CallerLimitsModule {}
