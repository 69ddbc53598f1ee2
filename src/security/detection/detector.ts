import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import { Inject, Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { Alerts } from '../../common/events/alerts.js';
import { Measures } from '../../common/events/measures.js';
import { SecurityEvents, type SecurityEvent } from '../../common/events/security-events.js';
import { Clock } from '../../common/clock.js';
import { Macs } from '../../common/macs.js';
import { SharedState } from '../../shared-state/index.js';
import { Baselines } from './baselines.js';
import { Gauges } from './gauges.js';
import { isAbout, type GaugeRule, type RatioRule, type Rule, type Subject } from './rule.js';
import { SharedWindows } from './shared-windows.js';
import { factsOf, sightingOf, type Sighting } from './sighting.js';
import { Windows } from './windows.js';

/** Injection token: the rules in force. */
export const RULES = Symbol('Rules');

type Watching = Exclude<Rule, GaugeRule>;

/** A rule at one of the actions or statuses that it is about. */
interface Watch {
  readonly rule: Watching;
  readonly subject: Subject;
  /** The other half: what follows in a sequence, what a share is of. */
  readonly isOther: boolean;
}

const flushEveryMs = 100;
const lookEveryMs = 5_000;

/** Holds security events and answers against the rules. Costs one look-up by action where no rule is about it. */
@Injectable()
export class Detector implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger('Detection');
  /** Events come from inside of transactions that may be rolled back, and the alert must not be. */
  private readonly outsideOfRequests = AsyncLocalStorage.snapshot();
  private readonly byAction = new Map<string, Watch[]>();
  private readonly byStatus = new Map<number, Watch[]>();
  /** About every answer. */
  private readonly ofRoutes: RatioRule[] = [];
  private readonly windows = new Windows();
  private readonly shared: SharedWindows;
  private readonly baselines = new Baselines();
  private gauges: Gauges | undefined;
  private timers: NodeJS.Timeout[] = [];
  private readonly instance = randomUUID();
  private sequence = 0;

  @Inject(SecurityEvents) private readonly events: SecurityEvents;
  @Inject(Measures) private readonly measures: Measures;

  constructor(
    @Inject(RULES) private readonly rules: readonly Rule[],
    @Inject(Alerts) private readonly alerts: Alerts,
    @Inject(Clock) private readonly clock: Clock,
    @Inject(SharedState) state: SharedState,
    @Inject(Macs) macs: Macs,
  ) {
    const disguise = (text: string) => macs.sign('rate-limit', ['detection', text]).mac.toString('base64url');
    const nameOf = (text: string) => `${state.namespace}:detection:${disguise(text)}`;
    this.shared = new SharedWindows(this.windows, state.redis, nameOf);
    for (const rule of rules) if (rule.kind !== 'gauge') this.watch(rule);
  }

  onModuleInit(): void {
    this.events.observe((event) => this.seeEvent(event));
    const gauges = this.rules.filter((rule) => rule.kind === 'gauge');
    this.gauges = new Gauges(gauges, this.measures, lookEveryMs);
    this.measures.add({
      name: 'detection_evicted_keys_total',
      help: 'Keys that detection stopped counting for lack of room, since the start.',
      read: () => this.windows.evicted,
    });
    this.timers = [
      setInterval(() => void this.flush(), flushEveryMs).unref(),
      setInterval(() => void this.look(), lookEveryMs).unref(),
    ];
  }

  async onApplicationShutdown(): Promise<void> {
    for (const timer of this.timers) clearInterval(timer);
    await this.flush();
  }

  /** What waits for Redis goes there now. */
  flush(): Promise<void> {
    return this.shared.flush();
  }

  /** Never fails whoever reports. */
  seeEvent(event: SecurityEvent): void {
    const watches = this.byAction.get(event.action);
    if (watches === undefined) return;
    this.attempt(() => {
      const about = watches.filter(({ subject }) => isAbout(subject, event));
      if (about.length > 0) this.see(about, sightingOf(event), factsOf(event));
    });
  }

  /** @param route undefined for an answer of no route. */
  seeAnswer(status: number, route: string | undefined): void {
    const watches = this.byStatus.get(status);
    if (watches === undefined && (this.ofRoutes.length === 0 || route === undefined)) return;
    this.attempt(() => {
      if (watches !== undefined) this.see(watches, sightingOf(undefined, route), factsOf());
      if (route !== undefined) for (const rule of this.ofRoutes) this.compare(rule, route, false);
    });
  }

  /** Reads the gauges. */
  async look(): Promise<void> {
    for (const { rule, key, value } of (await this.gauges?.look()) ?? [])
      this.raise(rule, key, { measure: rule.measure, value: Math.round(value) });
  }

  private watch(rule: Watching): void {
    this.watchFor(rule, { rule, subject: rule, isOther: false });
    const other = rule.kind === 'sequence' ? rule.next : rule.kind === 'ratio' ? rule.among : undefined;
    if (other !== undefined) this.watchFor(other, { rule, subject: other, isOther: true });
    if (rule.kind === 'ratio' && rule.actions === undefined && rule.statuses === undefined) this.ofRoutes.push(rule);
  }

  private watchFor({ actions = [], statuses = [] }: Subject, watch: Watch): void {
    for (const action of actions) add(this.byAction, action, watch);
    for (const status of statuses) add(this.byStatus, status, watch);
  }

  private see(watches: readonly Watch[], sighting: Sighting, facts: Facts): void {
    for (const { rule, isOther } of watches) {
      const key = sighting[rule.key];
      if (key === undefined) continue;
      if (rule.kind === 'single') this.raise(rule, key, facts);
      else if (rule.kind === 'ratio') this.compare(rule, key, isOther);
      else this.count({ rule, key, isOther, member: this.memberOf(rule, sighting) }, facts);
    }
  }

  private memberOf(rule: Watching, sighting: Sighting): string | undefined {
    return rule.kind === 'distinct' ? sighting[rule.of] : `${this.instance} ${this.sequence++}`;
  }

  private count({ rule, key, isOther, member }: Sought, facts: Facts): void {
    if (rule.kind === 'single' || rule.kind === 'ratio' || member === undefined) return;
    const { windowSeconds } = rule;
    const threshold = rule.kind === 'sequence' ? Number.POSITIVE_INFINITY : rule.threshold;
    this.shared.count({
      key: `${rule.name} ${key}`,
      member,
      at: this.now(),
      windowMs: windowSeconds * 1000,
      threshold,
      takes: isOther,
      reached: (count) => this.raise(rule, key, { ...facts, count, windowSeconds }),
    });
  }

  private compare(rule: RatioRule, key: string, isOther: boolean): void {
    const { windowSeconds, threshold, factor, among } = rule;
    const scale = { windowMs: windowSeconds * 1000, threshold, factor, isShare: among !== undefined };
    const unusual = this.baselines.add(`${rule.name} ${key}`, scale, this.now(), isOther);
    if (unusual !== undefined) this.raise(rule, key, { ...unusual, windowSeconds });
  }

  private raise(rule: Rule, key: string, details: Facts): void {
    const { name, severity, meaning: summary, runbook } = rule;
    const isPersonal = rule.kind !== 'gauge' && rule.key === 'network';
    const at = this.clock.now();
    this.outsideOfRequests(() =>
      this.alerts.raise({ rule: name, severity, key, isPersonal, summary, details, runbook, at }),
    );
  }

  private attempt(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.logger.error('an event could not be held against the rules', error);
    }
  }

  private now(): number {
    return this.clock.now().getTime();
  }
}

type Facts = Readonly<Record<string, string | number>>;

interface Sought {
  readonly rule: Watching;
  readonly key: string;
  readonly isOther: boolean;
  readonly member: string | undefined;
}

function add<K>(map: Map<K, Watch[]>, key: K, watch: Watch): void {
  map.set(key, [...(map.get(key) ?? []), watch]);
}
