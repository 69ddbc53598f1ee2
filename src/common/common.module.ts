// Remove: not by itself; it is the vocabulary of all others.
import { Global, Module, type DynamicModule } from '@nestjs/common';
import { Clock } from './clock.js';
import { Alerts } from './events/alerts.js';
import { ExposedCredentials } from './access/exposed-credentials.js';
import { HealthChecks } from './health-checks.js';
import { InternalPages } from './http/internal-pages.js';
import { LogLines } from './events/log-lines.js';
import { Measures } from './events/measures.js';
import { MetricFamilies } from './events/metric-families.js';
import { MachineAuthenticators } from './access/machine-authenticators.js';
import { OpenStreams } from './http/open-streams.js';
import { PersonalData } from './events/personal-data.js';
import { RefusedCallers } from './access/refused-callers.js';
import { RequestCounter } from './http/request-counter.js';
import { RouteTable } from './http/route-table.js';
import { SecurityEvents } from './events/security-events.js';
import { Revocations } from './access/revocations.js';

const vocabulary = [
  Alerts,
  ExposedCredentials,
  HealthChecks,
  InternalPages,
  LogLines,
  MachineAuthenticators,
  Measures,
  MetricFamilies,
  OpenStreams,
  PersonalData,
  RefusedCallers,
  Revocations,
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
    const providers = [
      { provide: Clock, useValue: clock },
      { provide: RequestCounter, useValue: counter },
    ];
    return { module: CommonModule, providers, exports: [Clock, RequestCounter] };
  }
}
