import { Injectable, Logger } from '@nestjs/common';
import { Declarations } from '../declarations.js';

/** Names of the OWASP logging vocabulary, with its meaning: monitoring that knows them needs no rule of ours. */
export const vocabularyActions = [
  'authn_login_success',
  'authn_login_fail',
  'authn_password_change',
  'authn_token_created',
  'authn_token_reuse',
  'authz_fail',
  'authz_change',
  'excess_rate_limit_exceeded',
  'input_validation_fail',
  'crypt_decrypt_fail',
  'malicious_cors',
  'session_expired',
  'user_created',
  'user_updated',
  'user_deleted',
  'sensitive_create',
  'sensitive_read',
  'sensitive_update',
  'sensitive_delete',
] as const;

/**
 * Names that practices use, in the same form: the vocabulary has none for them, or one that says something else.
 * Features declare theirs.
 */
const generalActions = [
  'authn_new_device',
  'authn_step_up_required',
  'authn_token_fail',
  'authn_credential_in_clear',
  'crypt_key_rotated',
  'audit_write_fail',
  'audit_pruned',
  'sys_error',
] as const;

const declared = new Declarations<{ readonly name: string }>('security action');
for (const name of [...vocabularyActions, ...generalActions]) declared.add({ name });

/** A name that a feature declared. */
export type DeclaredAction = string & { readonly [ofFeature]: true };
declare const ofFeature: unique symbol;

/** What only one feature reports. @throws Error for a name that is there already. */
export const defineAction = (name: string): DeclaredAction => declared.add({ name }).name as DeclaredAction;

/** Every name that is not of the vocabulary. */
export const ownActions = (): string[] =>
  declared
    .list()
    .map(({ name }) => name)
    .filter((name) => !vocabularyActions.some((one) => one === name))
    .toSorted();

/** What happened: `event.action` of the log, and `action` of the audit trail. */
export type SecurityAction = (typeof vocabularyActions)[number] | (typeof generalActions)[number] | DeclaredAction;

export interface SecurityEvent {
  readonly action: SecurityAction;
  readonly outcome: 'success' | 'failure' | 'denied';
  /** User id. Left out: the principal of the running request, if there is one. */
  readonly actorId?: string;
  readonly target?: { readonly type: string; readonly id: string };
  /** Ids, names and counts. Never personal data, never a secret. */
  readonly details?: Readonly<Record<string, string | number | boolean | readonly string[]>>;
}

export interface SecurityEventSink {
  /** Called inside the business transaction; a throw rolls the business change back. */
  recordInTransaction(event: SecurityEvent): Promise<void>;
  /**
   * What `recordInTransaction` would write, as rows that can share one statement with the change. A sink that has more
   * to do than to write leaves it out: `recordInTransaction` is then called, in a transaction.
   */
  rows?(event: SecurityEvent): readonly object[] | undefined;
  /** Called for refusals and incidents, outside any transaction; must not throw and must not block. */
  reportLater(event: SecurityEvent): void;
}

/** One event on its way into the transaction of its change: see `Database.insertAndRecord()`. */
export interface Recording {
  /** All that has to be written; undefined when a sink must run inside the transaction, by `recordInTransaction`. */
  rows(): readonly object[] | undefined;
  recordInTransaction(): Promise<void>;
}

/** Where practices and features say what happened. Audit and detection listen; neither is known here. */
@Injectable()
export class SecurityEvents {
  private readonly logger = new Logger('SecurityEvents');
  private readonly sinks: SecurityEventSink[] = [];
  private readonly observers: ((event: SecurityEvent) => void)[] = [];

  subscribe(sink: SecurityEventSink): void {
    this.sinks.push(sink);
  }

  /**
   * For whoever looks and writes nothing: told of each event once, whichever way it takes, also where the change is
   * rolled back later.
   * @public: every user of it can be removed.
   */
  observe(observer: (event: SecurityEvent) => void): void {
    this.observers.push(observer);
  }

  /** A change and its event commit together or not at all: call it inside `Database.transaction()`. */
  async recordInTransaction(event: SecurityEvent): Promise<void> {
    await this.recording(event).recordInTransaction();
  }

  /** The same for new rows: `Database.insertAndRecord(rows, events.recording(event), returning)`. */
  recording(event: SecurityEvent): Recording {
    let isTold = false;
    const tellOnce = (): void => {
      if (!isTold) this.tell(event);
      isTold = true;
    };
    return {
      rows: () => {
        const written = this.sinks.map((sink) => sink.rows?.(event));
        tellOnce();
        return written.every((rows) => rows !== undefined) ? written.flat() : undefined;
      },
      recordInTransaction: async () => {
        for (const sink of this.sinks) await sink.recordInTransaction(event);
        tellOnce();
      },
    };
  }

  /** A refusal or an incident. Never fails the caller: a broken sink is logged, and the refusal stands. */
  reportLater(event: SecurityEvent): void {
    for (const sink of this.sinks) {
      try {
        sink.reportLater(event);
      } catch (error) {
        this.logger.error('a sink of security events failed', error);
      }
    }
    this.tell(event);
  }

  /** Never fails the change that the event is about. */
  private tell(event: SecurityEvent): void {
    for (const observer of this.observers) {
      try {
        observer(event);
      } catch (error) {
        this.logger.error('an observer of security events failed', error);
      }
    }
  }
}
