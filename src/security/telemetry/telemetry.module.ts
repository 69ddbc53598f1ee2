// Threat: an attack that shows on several machines at once, and logs that are gone with the machine that had them (ASVS
// v5.0.0-16.4.3).
// Does: sends the lines of the log, the metrics and a span for each request to a collector, by OTLP/HTTP, where
// OTEL_EXPORTER_OTLP_ENDPOINT names one; bounded, and behind the back of every request.
// Does not: promise delivery (stdout has every line), trace what happens inside of a request.
// Remove: npm run remove telemetry; every line is on stdout all the same.
// Also: deploy/syslog-ng, deploy/vector, deploy/fluent-bit, deploy/otel-collector.
import { Inject, Module, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Clock } from '../../common/clock.js';
import { LogLines } from '../../common/events/log-lines.js';
import { Measures } from '../../common/events/measures.js';
import { MetricFamilies } from '../../common/events/metric-families.js';
import { RequestCounter } from '../../common/http/request-counter.js';
import { CONFIG, type Config } from '../../config/index.js';
import { Egress } from '../../egress/index.js';
import { Telemetry } from './telemetry.js';
import { telemetrySettings } from './telemetry.settings.js';

const telemetryProvider = {
  provide: Telemetry,
  inject: [CONFIG, Egress, MetricFamilies, Clock],
  useFactory: (config: Config, egress: Egress, families: MetricFamilies, clock: Clock) => {
    const { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_EXPORTER_OTLP_HEADERS: headers } = config.of(telemetrySettings);
    if (endpoint === undefined) return undefined;
    const client = egress.for({
      origins: [new URL(endpoint).origin],
      variable: 'OTEL_EXPORTER_OTLP_ENDPOINT',
      mayBePrivate: true,
      keepAlive: true,
    });
    return new Telemetry({ client, endpoint, headers }, families, clock);
  },
};

const nothing = { logs: 0, traces: 0, metrics: 0 };

@Module({ providers: [telemetryProvider] })
export class TelemetryModule implements OnApplicationBootstrap, OnApplicationShutdown {
  constructor(
    @Inject(Telemetry) private readonly telemetry: Telemetry | undefined,
    lines: LogLines,
    counter: RequestCounter,
    measures: Measures,
  ) {
    measures.add({
      name: 'telemetry_dropped_total',
      help: 'Records that the collector did not take, or that found no place while it took none.',
      labels: ['signal'],
      read: () =>
        Object.entries(telemetry?.dropped ?? nothing).map(([signal, value]) => ({ labels: { signal }, value })),
    });
    if (telemetry === undefined) return;
    lines.subscribe((line) => telemetry.log(line));
    counter.onAnswered((answered) => telemetry.trace(answered));
  }

  onApplicationBootstrap(): void {
    this.telemetry?.start();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.telemetry?.stop();
  }
}
