import type { HrTime } from '@opentelemetry/api';
import { ValueType } from '@opentelemetry/api';
import {
  AggregationTemporality,
  DataPointType,
  type DataPoint,
  type Histogram,
  type MetricData,
  type ResourceMetrics,
} from '@opentelemetry/sdk-metrics';
import type { MetricFamily, MetricSample } from '../../common/events/metric-families.js';
import { resource, scope } from './records.js';

interface Span {
  readonly startTime: HrTime;
  readonly endTime: HrTime;
}

/** What /metrics tells, as OTLP has it: sums since the start, gauges, histograms with their buckets apart. */
export const metricsOf = (families: readonly MetricFamily[], span: Span): ResourceMetrics => ({
  resource,
  scopeMetrics: [{ scope, metrics: families.flatMap((family) => metricOf(family, span)) }],
});

function metricOf({ name, help: description, type, samples }: MetricFamily, span: Span): MetricData[] {
  const shared = {
    descriptor: { name, description, unit: '', valueType: ValueType.DOUBLE },
    aggregationTemporality: AggregationTemporality.CUMULATIVE,
  };
  if (type === 'histogram')
    return [{ ...shared, dataPointType: DataPointType.HISTOGRAM, dataPoints: histogramsOf(samples, span) }];
  const dataPoints = samples.map(({ labels, value }): DataPoint<number> => ({ ...span, attributes: labels, value }));
  if (type === 'counter') return [{ ...shared, dataPointType: DataPointType.SUM, isMonotonic: true, dataPoints }];
  return [{ ...shared, dataPointType: DataPointType.GAUGE, dataPoints }];
}

/** Prometheus counts what is below a bound, OTLP what is between two. */
function histogramsOf(samples: readonly MetricSample[], span: Span): DataPoint<Histogram>[] {
  const series = new Map<string, { labels: MetricSample['labels']; of: MetricSample[] }>();
  for (const sample of samples) {
    const { le: _le, ...labels } = sample.labels;
    const key = JSON.stringify(labels);
    const known = series.get(key) ?? { labels, of: [] };
    known.of.push(sample);
    series.set(key, known);
  }
  return [...series.values()].map(({ labels, of }) => ({ ...span, attributes: labels, value: histogramOf(of) }));
}

function histogramOf(samples: readonly MetricSample[]): Histogram {
  const valueOf = (ending: string): number => samples.find(({ name }) => name.endsWith(ending))?.value ?? 0;
  const below = samples
    .filter(({ name, labels }) => name.endsWith('_bucket') && labels['le'] !== '+Inf')
    .map(({ labels, value }) => ({ bound: Number(labels['le']), value }))
    .toSorted((one, other) => one.bound - other.bound);
  const count = valueOf('_count');
  const counts = [...below.map(({ value }) => value), count].map((value, at) => value - (below[at - 1]?.value ?? 0));
  return { count, sum: valueOf('_sum'), buckets: { boundaries: below.map(({ bound }) => bound), counts } };
}
