import type { Severity } from '../../common/events/alerts.js';
import type { SecurityEvent } from '../../common/events/security-events.js';

/** By what is counted: each account, network, session or machine, route for itself, or all together. */
export const keys = ['account', 'network', 'credential', 'route', 'global'] as const;
export type Key = (typeof keys)[number];

export const outcomes = ['success', 'failure', 'denied'] as const;

/** What a rule looks at: security events, or the statuses of answers. Each list that is there has to match. */
export interface Subject {
  /** Names of `npm run inventory`. One whose part was taken away never comes. */
  readonly actions?: readonly string[];
  readonly outcomes?: readonly SecurityEvent['outcome'][];
  /** `details.reason` of the event. */
  readonly reasons?: readonly string[];
  /** Of answers; instead of actions. */
  readonly statuses?: readonly number[];
}

interface Base {
  /** `account_failures` */
  readonly name: string;
  readonly severity: Severity;
  /** The page in docs/runbooks/. */
  readonly runbook: string;
  /** One sentence, for whoever is woken. */
  readonly meaning: string;
}

/** Each event is an alert. */
export interface SingleRule extends Base, Subject {
  readonly kind: 'single';
  readonly key: Key;
}

/** So many within a window. */
export interface CountRule extends Base, Subject {
  readonly kind: 'count';
  readonly key: Key;
  readonly threshold: number;
  readonly windowSeconds: number;
}

/** So many different ones within a window: accounts of one network, networks of one account. */
export interface DistinctRule extends Base, Subject {
  readonly kind: 'distinct';
  readonly key: Key;
  readonly of: Key;
  readonly threshold: number;
  readonly windowSeconds: number;
}

/**
 * At least `threshold` in a window, and `factor` times what is usual. With `among`, the usual is their share of both
 * together; without, it is their number. Without a subject every answer counts, whatever its status.
 */
export interface RatioRule extends Base, Subject {
  readonly kind: 'ratio';
  readonly key: 'global' | 'route';
  readonly among?: Subject;
  readonly threshold: number;
  readonly factor: number;
  readonly windowSeconds: number;
}

/** One thing, and another after it. */
export interface SequenceRule extends Base, Subject {
  readonly kind: 'sequence';
  readonly key: Key;
  /** What follows. */
  readonly next: Subject;
  readonly windowSeconds: number;
}

/** A value of `Measures` that is too high or too low; told again every `windowSeconds` while it lasts. */
export interface GaugeRule extends Base {
  readonly kind: 'gauge';
  /** A measure that is not there, because its part is not, is no fault. */
  readonly measure: string;
  readonly when: 'above' | 'below';
  /** At it is too much, or too little, already. */
  readonly threshold: number;
  readonly windowSeconds: number;
}

export type Rule = SingleRule | CountRule | DistinctRule | RatioRule | SequenceRule | GaugeRule;

/** Whether an event is what the subject says. Its action was looked up before. */
export function isAbout({ outcomes: wanted, reasons }: Subject, { outcome, details }: SecurityEvent): boolean {
  if (wanted !== undefined && !wanted.includes(outcome)) return false;
  return reasons === undefined || reasons.includes(String(details?.['reason']));
}
