import { createSecretKey, randomBytes } from 'node:crypto';
import type { KeyRing } from '@nestjs-secure-template/field-encryption';
import { Logger } from '@nestjs/common';
import type { Person } from '../../../src/common/access/principal.js';
import { Clock } from '../../../src/common/clock.js';
import { Alerts, type Alert } from '../../../src/common/events/alerts.js';
import { Measures } from '../../../src/common/events/measures.js';
import { SecurityEvents, type SecurityEvent } from '../../../src/common/events/security-events.js';
import { runInRequestContext } from '../../../src/common/http/request-context.js';
import { traceOf } from '../../../src/common/http/trace-context.js';
import { Macs } from '../../../src/common/macs.js';
import { Detector } from '../../../src/security/detection/detector.js';
import type { Rule } from '../../../src/security/detection/rule.js';
import { SharedState } from '../../../src/shared-state/index.js';

const secret = createSecretKey(randomBytes(32));

/** Stands still until it is set. */
class SetClock extends Clock {
  constructor(public time = Date.UTC(2027, 0, 4, 9)) {
    super();
  }

  override now(): Date {
    return new Date(this.time);
  }
}

/** Who does something, and from where. */
export interface Doer {
  readonly userId?: string;
  readonly sessionId?: string;
  readonly address?: string;
}

/** Detection by itself: events and answers go in, alerts come out, and time passes when a test says so. */
export class Detecting {
  readonly clock = new SetClock();
  readonly raised: Alert[] = [];
  readonly events = new SecurityEvents();
  readonly measures = new Measures();
  readonly detector: Detector;

  constructor(
    rules: readonly Rule[],
    private readonly state = new SharedState('test'),
  ) {
    Logger.overrideLogger(false);
    const alerts = new Alerts();
    alerts.subscribe((alert) => this.raised.push(alert));
    const macs = new Macs({ active: () => ({ id: 'one', key: secret }) } as unknown as KeyRing);
    this.detector = new Detector(rules, alerts, this.clock, state, macs);
    Object.assign(this.detector, { events: this.events, measures: this.measures });
    this.detector.onModuleInit();
  }

  event(event: SecurityEvent, doer: Doer = {}): void {
    this.as(doer, () => this.events.reportLater(event));
  }

  answer(status: number, route: string | undefined, doer: Doer = {}): void {
    this.as(doer, () => this.detector.seeAnswer(status, route));
  }

  advance(seconds: number): void {
    this.clock.time += seconds * 1000;
  }

  /** What the rules raised, in their order. */
  get names(): string[] {
    return this.raised.map(({ rule }) => rule);
  }

  get namespace(): string {
    return this.state.namespace;
  }

  async close(): Promise<void> {
    await this.detector.onApplicationShutdown();
  }

  private as({ userId, sessionId = 'a session', address = '203.0.113.9' }: Doer, work: () => void): void {
    const principal = { kind: 'person', userId, sessionId } as Person;
    runInRequestContext(
      { requestId: 'a request', address, trace: traceOf(undefined), ...(userId && { principal }) },
      work,
    );
  }
}
