import { SpanKind, SpanStatusCode, TraceFlags, type HrTime } from '@opentelemetry/api';
import type { ProtobufLogsSerializer, ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import type { Answered } from '../../common/http/request-counter.js';

export type LogRecord = Parameters<(typeof ProtobufLogsSerializer)['serializeRequest']>[0][number];
export type Span = Parameters<(typeof ProtobufTraceSerializer)['serializeRequest']>[0][number];

/** What a finished request leaves behind until its span is made. */
export interface SpanSource extends Answered {
  readonly endedAtMs: number;
}

export const resource = resourceFromAttributes({ 'service.name': 'api', 'process.pid': process.pid });
export const scope = { name: 'nestjs-secure-template' };

export function timeOf(milliseconds: number): HrTime {
  const seconds = Math.floor(milliseconds / 1000);
  return [seconds, Math.round((milliseconds - seconds * 1000) * 1e6)];
}

const severities: ReadonlyMap<unknown, number> = new Map([
  ['trace', 1],
  ['debug', 5],
  ['info', 9],
  ['warn', 13],
  ['error', 17],
  ['fatal', 21],
]);

/** A line of the log, which is JSON in the words of ECS, as it went to stdout. */
export function logRecordOf(line: string): LogRecord {
  const {
    '@timestamp': at,
    'log.level': level,
    'trace.id': traceId,
    'span.id': spanId,
    message,
    ...rest
  } = JSON.parse(line) as Record<string, unknown>;
  const isTraced = typeof traceId === 'string' && typeof spanId === 'string';
  const time = timeOf(Date.parse(String(at)));
  return {
    hrTime: time,
    hrTimeObserved: time,
    severityText: String(level),
    severityNumber: severities.get(level) ?? 0,
    body: typeof message === 'string' ? message : '',
    attributes: attributesOf(rest),
    droppedAttributesCount: 0,
    resource,
    instrumentationScope: scope,
    ...(isTraced && { spanContext: { traceId, spanId, traceFlags: TraceFlags.SAMPLED } }),
  };
}

/** Values as they are; of objects their JSON. */
const attributesOf = (fields: Readonly<Record<string, unknown>>): Record<string, string | number | boolean> =>
  Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
        ? value
        : JSON.stringify(value),
    ]),
  );

/** The span of the server, in the semantic conventions for HTTP: the pattern of the route, and never the path. */
export function spanOf({ method, route, status, milliseconds, listener, context, endedAtMs }: SpanSource): Span {
  const { traceId, spanId, parentSpanId } = context.trace;
  const sampled = { traceId, traceFlags: TraceFlags.SAMPLED };
  return {
    name: `${method} ${route ?? 'unmatched'}`,
    kind: SpanKind.SERVER,
    spanContext: () => ({ ...sampled, spanId }),
    ...(parentSpanId !== undefined && { parentSpanContext: { ...sampled, spanId: parentSpanId, isRemote: true } }),
    startTime: timeOf(endedAtMs - milliseconds),
    endTime: timeOf(endedAtMs),
    duration: timeOf(milliseconds),
    ended: true,
    status: { code: status !== undefined && status >= 500 ? SpanStatusCode.ERROR : SpanStatusCode.UNSET },
    attributes: {
      'http.request.method': method,
      'url.scheme': listener === 'https' ? 'https' : 'http',
      'http.request.id': context.requestId,
      ...(route !== undefined && { 'http.route': route }),
      ...(status !== undefined && { 'http.response.status_code': status }),
    },
    links: [],
    events: [],
    resource,
    instrumentationScope: scope,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}
