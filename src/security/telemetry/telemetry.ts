import { setTimeout as sleep } from 'node:timers/promises';
import {
  ProtobufLogsSerializer,
  ProtobufMetricsSerializer,
  ProtobufTraceSerializer,
} from '@opentelemetry/otlp-transformer';
import { Logger } from '@nestjs/common';
import type { Clock } from '../../common/clock.js';
import type { MetricFamilies } from '../../common/events/metric-families.js';
import type { Answered } from '../../common/http/request-counter.js';
import { Collector, type CollectorRules } from './collector.js';
import { metricsOf } from './metric-points.js';
import { logRecordOf, spanOf, timeOf, type SpanSource } from './records.js';
import { Signal, type Outcome } from './signal.js';

/** About what the parts of a span take. */
const spanBytes = 500;
const tellEveryMs = 60_000;
/** Whoever stops the service does not wait for a collector. */
const maxFlushAtEndMs = 1_500;

/** Brings lines, figures and spans to the collector, behind the back of every request. */
export class Telemetry {
  /** Milliseconds between two deliveries, and between two readings of the metrics; tests shorten them. */
  static readonly intervals = { flush: 2_000, metrics: 60_000 };
  private readonly logger = new Logger('Telemetry');
  private readonly collector: Collector;
  private readonly startedAt: number;
  private timers: NodeJS.Timeout[] = [];
  private toldDropped = 0;
  private toldAtMs = Number.NEGATIVE_INFINITY;
  private lostReadings = 0;

  private readonly lines = new Signal<string>({
    weigh: (line) => line.length,
    send: (lines) => this.sendLines(lines),
  });
  private readonly spans = new Signal<SpanSource>({ weigh: () => spanBytes, send: (spans) => this.sendSpans(spans) });

  constructor(
    rules: CollectorRules,
    private readonly families: MetricFamilies,
    private readonly clock: Clock,
  ) {
    this.collector = new Collector(rules);
    this.startedAt = clock.now().getTime();
  }

  /** What was not delivered, by kind. */
  get dropped(): Readonly<Record<string, number>> {
    return { logs: this.lines.dropped, traces: this.spans.dropped, metrics: this.lostReadings };
  }

  /** A line of the log. */
  log(line: string): void {
    this.lines.add(line);
  }

  /** An exchange that is over. Those of the internal listener are health checks and scrapes, many and alike. */
  trace(answered: Answered): void {
    if (answered.listener !== 'internal') this.spans.add({ ...answered, endedAtMs: this.clock.now().getTime() });
  }

  start(): void {
    const { flush, metrics } = Telemetry.intervals;
    this.timers = [
      setInterval(() => void this.flush(), flush).unref(),
      setInterval(() => void this.sendMetrics(), metrics).unref(),
    ];
  }

  async stop(): Promise<void> {
    for (const timer of this.timers) clearInterval(timer);
    const all = Promise.all([this.flush(), this.sendMetrics()]);
    await Promise.race([all, sleep(maxFlushAtEndMs, undefined, { ref: false })]);
    this.collector.end();
  }

  private async flush(): Promise<void> {
    await Promise.all([this.lines.flush(), this.spans.flush()]);
    this.tell();
  }

  private sendLines(lines: readonly string[]): Promise<Outcome> {
    return this.collector.send('v1/logs', ProtobufLogsSerializer.serializeRequest(lines.map(logRecordOf)), (answer) =>
      isWhole(() => ProtobufLogsSerializer.deserializeResponse(answer).partialSuccess?.rejectedLogRecords),
    );
  }

  private sendSpans(spans: readonly SpanSource[]): Promise<Outcome> {
    return this.collector.send('v1/traces', ProtobufTraceSerializer.serializeRequest(spans.map(spanOf)), (answer) =>
      isWhole(() => ProtobufTraceSerializer.deserializeResponse(answer).partialSuccess?.rejectedSpans),
    );
  }

  /** The next reading holds what this one did: sums since the start. So one that fails is not sent again. */
  private async sendMetrics(): Promise<void> {
    const span = { startTime: timeOf(this.startedAt), endTime: timeOf(this.clock.now().getTime()) };
    const families = await this.families.read();
    if (families.length === 0) return;
    const body = ProtobufMetricsSerializer.serializeRequest(metricsOf(families, span));
    const outcome = await this.collector.send('v1/metrics', body, (answer) =>
      isWhole(() => ProtobufMetricsSerializer.deserializeResponse(answer).partialSuccess?.rejectedDataPoints),
    );
    if (outcome !== 'sent') this.lostReadings += 1;
  }

  /** Once a minute at most, and not for each record: a collector that is down must not fill the log. */
  private tell(): void {
    const dropped = Object.values(this.dropped).reduce((sum, count) => sum + count, 0);
    if (dropped === this.toldDropped || performance.now() - this.toldAtMs < tellEveryMs) return;
    const fault = this.collector.lastFault;
    this.logger.warn(`${dropped - this.toldDropped} records of telemetry were not delivered (${fault})`);
    this.toldDropped = dropped;
    this.toldAtMs = performance.now();
  }
}

/** An answer that is no OTLP says nothing about what was taken. */
function isWhole(rejected: () => number | undefined): boolean {
  try {
    return (rejected() ?? 0) === 0;
  } catch {
    return false;
  }
}
