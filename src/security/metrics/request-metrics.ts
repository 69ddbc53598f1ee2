import { Injectable } from '@nestjs/common';
import { Counter, Gauge, Histogram } from 'prom-client';
import { RequestCounter, type Answered } from '../../common/http/request-counter.js';
import { OwnRegistry } from './own-registry.js';

/** In seconds: a read is a few milliseconds, a sign-in a tenth of a second, and what takes 10 s is broken. */
const buckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** Of paths that lead to no route a client chooses the method too. */
const methods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'unparsed']);

/** The counters of one route and method, looked up once. */
interface RouteMetrics {
  readonly observe: (seconds: number) => void;
  readonly byStatus: Map<number | undefined, () => void>;
  readonly labels: { readonly listener: string; readonly route: string; readonly method: string };
}

/**
 * Counts every exchange of every listener by the pattern of its route: never by what a client chose, which would grow
 * without end (OWASP API4).
 */
@Injectable()
export class RequestMetrics {
  private readonly known = new Map<string, Map<string, RouteMetrics>>();
  private readonly requests;
  private readonly durations;

  constructor({ counted }: OwnRegistry, counter: RequestCounter) {
    const registers = [counted];
    this.requests = new Counter({
      name: 'http_requests_total',
      help: 'Finished exchanges by listener, route, method and status; what has no route is unmatched.',
      labelNames: ['listener', 'route', 'method', 'status'],
      registers,
    });
    this.durations = new Histogram({
      name: 'http_request_duration_seconds',
      help: 'From the arrival of the request to the last byte of its answer.',
      labelNames: ['listener', 'route', 'method'],
      buckets,
      registers,
    });
    const inFlight: Gauge = new Gauge({
      name: 'http_requests_in_flight',
      help: 'Exchanges over HTTPS that have begun and not ended.',
      registers,
      collect: () => inFlight.set(counter.inFlight),
    });
    counter.onAnswered((answered) => this.count(answered));
  }

  private count(answered: Answered): void {
    const { observe, byStatus, labels } = this.metricsOf(answered);
    const { status } = answered;
    let increment = byStatus.get(status);
    if (increment === undefined) {
      const { inc } = this.requests.labels({ ...labels, status: String(status ?? 'aborted') });
      increment = () => inc();
      byStatus.set(status, increment);
    }
    increment();
    observe(answered.milliseconds / 1000);
  }

  /** No text is put together for it: this is part of every request. */
  private metricsOf({ listener, route, method }: Answered): RouteMetrics {
    const key = route ?? listener;
    const byMethod = this.known.get(key) ?? new Map<string, RouteMetrics>();
    const knownMethod = route !== undefined || methods.has(method) ? method : 'other';
    const found = byMethod.get(knownMethod);
    if (found !== undefined) return found;
    const labels = { listener, route: route ?? 'unmatched', method: knownMethod };
    const { observe } = this.durations.labels(labels);
    const made = { labels, observe, byStatus: new Map() };
    this.known.set(key, byMethod.set(knownMethod, made));
    return made;
  }
}
