import { randomUUID } from 'node:crypto';

/** Which trace a request belongs to, and the span that stands for it, as hex digits (W3C Trace Context). */
export interface TraceContext {
  /** 32 digits. Of the client where it sent one: it joins what belongs together there, and proves nothing. */
  readonly traceId: string;
  /** 16 digits, made here. */
  readonly spanId: string;
  /** The client's span, when it sent one. */
  readonly parentSpanId?: string;
}

/** Of version 00 alone, in one spelling. Two fields arrive joined by a comma, and so as none. */
const traceparent = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}$/;

/** What is not well-formed counts as not sent: a trace id never says more than hex digits in a log. */
export function traceOf(header: string | readonly string[] | undefined): TraceContext {
  const [, traceId, parentSpanId] = (typeof header === 'string' && traceparent.exec(header)) || [];
  const spanId = randomHex().slice(16);
  return traceId === undefined ? { traceId: randomHex(), spanId } : { traceId, spanId, parentSpanId };
}

/** 32 digits. Node keeps random bytes ready for UUIDs: to ask the system for each request costs ten times as much. */
const randomHex = (): string => randomUUID().replaceAll('-', '');
