import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
// The definitions of opentelemetry-proto, compiled; the code that sends is of another release and has none of them.
import definitions from 'otlp-definitions/build/src/generated/root.js';

interface Message {
  decode(bytes: Uint8Array): unknown;
  toObject(message: unknown, options: object): Record<string, never[]>;
  verify(message: object): string | null;
}
interface Definitions {
  readonly opentelemetry: {
    readonly proto: { readonly collector: Record<'logs' | 'metrics' | 'trace', { v1: Record<string, Message> }> };
  };
}
const { logs, metrics, trace } = (definitions as unknown as Definitions).opentelemetry.proto.collector;
const requests: Readonly<Record<string, Message | undefined>> = {
  '/v1/logs': logs.v1['ExportLogsServiceRequest'],
  '/v1/metrics': metrics.v1['ExportMetricsServiceRequest'],
  '/v1/traces': trace.v1['ExportTraceServiceRequest'],
};

type Value = { stringValue?: string; doubleValue?: number; intValue?: number; boolValue?: boolean };
type Attributes = { key: string; value: Value }[];
export interface ReceivedLog {
  readonly body: Value;
  readonly severityNumber: number;
  readonly traceId: string;
  readonly attributes: Attributes;
}
export interface ReceivedSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly attributes: Attributes;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
}
interface Point {
  readonly attributes: Attributes;
  readonly asDouble?: number;
  readonly count?: string;
  readonly sum?: number;
  readonly bucketCounts?: string[];
  readonly explicitBounds?: number[];
}
export interface ReceivedMetric {
  readonly name: string;
  readonly sum?: { dataPoints: Point[]; isMonotonic: boolean; aggregationTemporality: number };
  readonly gauge?: { dataPoints: Point[] };
  readonly histogram?: { dataPoints: Point[] };
}

/** A collector that decodes what it gets by the official definitions, and answers as a test wants. */
export class Receiver {
  readonly logs: ReceivedLog[] = [];
  readonly spans: ReceivedSpan[] = [];
  readonly metrics: ReceivedMetric[] = [];
  readonly headers: IncomingMessage['headers'][] = [];
  readonly bytes: Buffer[] = [];
  asked = 0;
  answer: (response: ServerResponse) => void = (response) => void response.writeHead(200).end();
  private readonly server = createServer((request, response) => void this.receive(request, response));

  async start(): Promise<string> {
    await new Promise<void>((done) => this.server.listen(0, '127.0.0.1', done));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  stop(): Promise<void> {
    return new Promise((done) => {
      this.server.close(() => done());
      this.server.closeAllConnections();
    });
  }

  private async receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.asked += 1;
    this.headers.push(request.headers);
    const body = Buffer.concat(await request.toArray());
    this.bytes.push(body);
    const type = requests[request.url ?? ''];
    if (type === undefined) return void response.writeHead(404).end();
    const decoded = type.toObject(type.decode(body), { longs: String, enums: Number, bytes: String, defaults: false });
    this.keep(JSON.parse(JSON.stringify(decoded)) as Tree);
    this.answer(response);
  }

  private keep({ resourceLogs = [], resourceSpans = [], resourceMetrics = [] }: Tree): void {
    for (const { scopeLogs } of resourceLogs)
      for (const { logRecords } of scopeLogs) this.logs.push(...logRecords.map(inHex));
    for (const { scopeSpans } of resourceSpans)
      for (const { spans } of scopeSpans) this.spans.push(...spans.map(inHex));
    for (const { scopeMetrics } of resourceMetrics)
      for (const { metrics: all } of scopeMetrics) this.metrics.push(...all);
  }
}

interface Tree {
  readonly resourceLogs?: { scopeLogs: { logRecords: ReceivedLog[] }[] }[];
  readonly resourceSpans?: { scopeSpans: { spans: ReceivedSpan[] }[] }[];
  readonly resourceMetrics?: { scopeMetrics: { metrics: ReceivedMetric[] }[] }[];
}

const hex = (base64: string | undefined): string => Buffer.from(base64 ?? '', 'base64').toString('hex');
const inHex = <T extends { traceId: string; spanId?: string; parentSpanId?: string }>(item: T): T => ({
  ...item,
  traceId: hex(item.traceId),
  spanId: hex(item.spanId),
  parentSpanId: hex(item.parentSpanId),
});

export const valueOf = (attributes: Attributes, name: string): unknown =>
  Object.values(attributes.find(({ key }) => key === name)?.value ?? {})[0];
