import { Global, Module, type DynamicModule } from '@nestjs/common';
import { Clock } from './clock.js';
import { ExposedCredentials } from './exposed-credentials.js';
import { HealthChecks } from './health-checks.js';
import { InternalPages } from './internal-pages.js';
import { OpenStreams } from './open-streams.js';
import { PersonalData } from './personal-data.js';
import { RefusedCallers } from './refused-callers.js';
import { RequestCounter } from './request-counter.js';
import { RouteTable } from './route-table.js';
import { SecurityEvents } from './security-events.js';
import { PrincipalChanges } from './session-revocation.js';

const vocabulary = [
  ExposedCredentials,
  HealthChecks,
  InternalPages,
  OpenStreams,
  PersonalData,
  PrincipalChanges,
  RefusedCallers,
  RouteTable,
  SecurityEvents,
];

/** What practices and features talk through, so that none of them has to import another. */
@Global()
@Module({ providers: vocabulary, exports: vocabulary })
export class CommonModule {
  /**
   * @param clock another source of the time; tests move it.
   * @param counter the one that the listener's own errors ask; commands have no listener.
   */
  static with(clock: Clock = new Clock(), counter = new RequestCounter()): DynamicModule {
    const providers = [{ provide: Clock, useValue: clock }, { provide: RequestCounter, useValue: counter }];
    return { module: CommonModule, providers, exports: [Clock, RequestCounter] };
  }
}
