import { Injectable, Logger } from '@nestjs/common';

/** How soon somebody has to act: at once, today, or when they next look. */
export type Severity = 'critical' | 'warning' | 'info';

/** What somebody has to look at. Ids and counts only: neither a value nor a person's data (ASVS v5.0.0-16.2.5). */
export interface Alert {
  /** Name of the rule: `account_failures`. */
  readonly rule: string;
  readonly severity: Severity;
  /** What it is about: an account id, an address, an action. Alerts of one rule and key are one incident. */
  readonly key: string;
  /** The key is about where somebody is: it is stored sealed, and told to nobody outside (ASVS v5.0.0-16.2.5). */
  readonly isPersonal?: boolean;
  /** One sentence. */
  readonly summary: string;
  readonly details: Readonly<Record<string, string | number>>;
  /** Name of the runbook: the page that says what to do. */
  readonly runbook: string;
  readonly at: Date;
}

/** Must not throw and must not block; called outside of any transaction. */
type Listener = (alert: Alert) => void;

/** Between those who notice and those who tell: detection raises, alerting stores and sends, metrics counts. */
@Injectable()
export class Alerts {
  private readonly logger = new Logger('Alerts');
  private readonly listeners: Listener[] = [];

  /** @public: every user of it can be removed. */
  subscribe(listener: Listener): void {
    this.listeners.push(listener);
  }

  /**
   * A line of the log in any case, also where nobody listens.
   * @public: every user of it can be removed.
   */
  raise(alert: Alert): void {
    this.logger[alert.severity === 'critical' ? 'error' : 'warn'](lineOf(alert));
    for (const listener of this.listeners) {
      try {
        listener(alert);
      } catch (error) {
        this.logger.error(`a listener of alerts failed on ${alert.rule}`, error);
      }
    }
  }
}

/** As it stands in the log, where addresses of clients are anyway. */
function lineOf({ rule, key, summary, details, runbook }: Alert): string {
  const facts = Object.entries({ key, ...details, runbook }).map(([name, value]) => `${name}: ${value}`);
  return `alert ${rule}: ${summary} (${facts.join(', ')})`;
}
