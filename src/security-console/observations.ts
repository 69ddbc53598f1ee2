import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { Alerts, type Alert } from '../common/events/alerts.js';
import { Measures, readMeasure, type Reading } from '../common/events/measures.js';
import { SecurityEvents, type SecurityEvent } from '../common/events/security-events.js';
import { RequestCounter } from '../common/http/request-counter.js';

/** What one second had. */
export interface Second {
  /** Seconds since 1970. */
  readonly at: number;
  served: number;
  /** 4xx, what limits refused among it. */
  refused: number;
  limited: number;
  /** 5xx, and what clients broke off. */
  failed: number;
  signIns: number;
  failedSignIns: number;
  /** Longest exchange, in milliseconds. */
  slowest: number;
}

/** A measure as it was read last. */
export interface Shown {
  readonly name: string;
  readonly help: string;
  readonly readings: readonly Reading[];
}

const keptSeconds = 600;
const keptAlerts = 50;

/** The last ten minutes of this instance, by the second: bounded, whatever comes. */
@Injectable()
export class Observations implements OnModuleInit {
  private readonly seconds: Second[] = [];
  private readonly raised: Alert[] = [];
  private readonly actions = new Map<string, number>();

  constructor(
    private readonly events: SecurityEvents,
    private readonly alerting: Alerts,
    private readonly measures: Measures,
    private readonly counter: RequestCounter,
    private readonly clock: Clock,
  ) {}

  onModuleInit(): void {
    this.events.observe((event) => this.count(event));
    this.alerting.subscribe((alert) => {
      this.raised.unshift(alert);
      this.raised.length = Math.min(this.raised.length, keptAlerts);
    });
    this.counter.onAnswered(({ listener, status, milliseconds }) => {
      if (listener === 'internal') return;
      const second = this.second();
      second[kindOf(status)] += 1;
      if (status === 429) second.limited += 1;
      second.slowest = Math.max(second.slowest, Math.round(milliseconds));
    });
  }

  private count({ action, outcome }: SecurityEvent): void {
    const key = `${action} ${outcome}`;
    this.actions.set(key, (this.actions.get(key) ?? 0) + 1);
    if (action === 'authn_login_success') this.second().signIns += 1;
    if (action === 'authn_login_fail') this.second().failedSignIns += 1;
  }

  /** Those of the last ten minutes that had anything, oldest first, but for the one that is running. */
  history(): readonly Second[] {
    const now = this.now();
    return this.seconds.filter(({ at }) => at < now && at >= now - keptSeconds);
  }

  alerts(): readonly Alert[] {
    return this.raised;
  }

  /** Since the start, the most frequent first. */
  eventCounts(): readonly { readonly event: string; readonly count: number }[] {
    const counts = [...this.actions].map(([event, count]) => ({ event, count }));
    return counts.toSorted((one, other) => other.count - one.count);
  }

  /** Each is asked for at most a second; what does not answer is left out. */
  async readMeasures(): Promise<Shown[]> {
    const shown = this.measures.list().map(async (measure) => {
      const readings = await readMeasure(measure).catch(() => []);
      return { name: measure.name, help: measure.help, readings };
    });
    return (await Promise.all(shown)).filter(({ readings }) => readings.length > 0);
  }

  private second(): Second {
    const at = this.now();
    const last = this.seconds.at(-1);
    if (last !== undefined && last.at >= at) return last;
    const none = { served: 0, refused: 0, limited: 0, failed: 0, signIns: 0, failedSignIns: 0, slowest: 0 };
    this.seconds.push({ at, ...none });
    if (this.seconds.length > keptSeconds) this.seconds.shift();
    return this.seconds.at(-1) as Second;
  }

  private now(): number {
    return Math.floor(this.clock.now().getTime() / 1000);
  }
}

const kindOf = (status: number | undefined): 'served' | 'refused' | 'failed' =>
  status === undefined || status >= 500 ? 'failed' : status >= 400 ? 'refused' : 'served';
