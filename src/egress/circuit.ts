import { randomInt } from 'node:crypto';
import type { Clock } from '../common/clock.js';

/** The other side is known to be down, or has asked for a pause: it was not asked. */
export class EgressUnavailable extends Error {
  constructor(readonly retryAfterSeconds: number) {
    super('the destination is not asked for a while: it has failed, or asked for a pause');
  }
}

export interface CircuitRules {
  /** So many failures in a row open it. */
  readonly maxFailures: number;
  /** The first pause; each trial that fails doubles it. */
  readonly pauseMs: number;
}

export const defaultCircuit: CircuitRules = { maxFailures: 5, pauseMs: 5_000 };
/** No pause is longer, whatever `Retry-After` says: the other side must not switch a feature off for a day. */
const maxPauseMs = 5 * 60_000;

/**
 * Spares a side that is down, and us the wait: after some failures, or when it says `Retry-After`, nothing is sent for
 * a while; then one request tries (ASVS v5.0.0-13.2.6, abuse case A10-8).
 */
export class Circuit {
  private failures = 0;
  private pauseMs: number;
  private openUntil: number | undefined;
  private trying = false;

  constructor(
    private readonly clock: Clock,
    private readonly rules: CircuitRules,
  ) {
    this.pauseMs = rules.pauseMs;
  }

  get isOpen(): boolean {
    return this.openUntil !== undefined;
  }

  /** Before a request. @throws EgressUnavailable while it is open, or another request is the trial. */
  enter(): void {
    if (this.openUntil === undefined) return;
    const left = this.openUntil - this.now();
    if (left > 0 || this.trying) throw new EgressUnavailable(Math.max(1, Math.ceil(left / 1000)));
    this.trying = true;
  }

  /** It works. */
  succeeded(): void {
    this.failures = 0;
    this.openUntil = undefined;
    this.trying = false;
    this.pauseMs = this.rules.pauseMs;
  }

  /** It does not, and may have said for how long. */
  failed(retryAfterMs?: number): void {
    this.failures += 1;
    if (this.trying) this.pauseMs = Math.min(this.pauseMs * 2, maxPauseMs);
    this.trying = false;
    if (retryAfterMs === undefined && this.failures < this.rules.maxFailures) return;
    // Jitter: instances that were refused together do not come back together.
    const jitter = this.pauseMs * 0.2 * (randomInt(1_000) / 1_000);
    const pause = Math.min(Math.max(retryAfterMs ?? 0, this.pauseMs) + jitter, maxPauseMs);
    this.openUntil = Math.max(this.openUntil ?? 0, this.now() + pause);
  }

  /** The request ended without a word about the other side: its caller gave up, or it was never sent. */
  left(): void {
    this.trying = false;
  }

  private now(): number {
    return this.clock.now().getTime();
  }
}

/** `Retry-After` of RFC 9110 s10.2.3: seconds, or a date. */
export function pauseAskedFor(value: string | undefined, now: Date): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now.getTime());
}
