import { Injectable, Logger } from '@nestjs/common';

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

/** Names of this service, in the same form: the vocabulary has none for them, or one that says something else. */
export const ownActions = [
  'authn_new_device',
  'authn_password_reset',
  'authn_reset_requested',
  'authn_reset_forced',
  'authn_factor_added',
  'authn_factor_removed',
  'authn_factor_fail',
  'authn_recovery_codes_created',
  'authn_recovery_code_used',
  'authn_step_up_required',
  'authn_token_fail',
  'authn_credential_in_clear',
  'crypt_key_rotated',
  'user_registered',
  'user_email_change_requested',
  'user_email_changed',
  'user_disabled',
  'user_enabled',
  'share_invited',
  'share_declined',
  'share_invitation_revoked',
  'share_opted_out',
  'share_granted',
  'share_revoked',
  'audit_write_fail',
  'audit_pruned',
  'sys_error',
] as const;

/** What happened: `event.action` of the log, and `action` of the audit trail. */
export type SecurityAction = (typeof vocabularyActions)[number] | (typeof ownActions)[number];

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
  record(event: SecurityEvent): Promise<void>;
  /**
   * What `record` would write, as statements of the database client that have not started, so that they can share a batch with the
   * change. A sink that has more to do than to write leaves it out: `record` is then called, in a transaction.
   */
  statements?(event: SecurityEvent): readonly PromiseLike<unknown>[] | undefined;
  /** Called for refusals and incidents, outside any transaction; must not throw and must not block. */
  report(event: SecurityEvent): void;
}

/** One event on its way into the transaction of its change: see `Database.together()`. */
export interface Recording {
  /** All that has to be written; undefined when a sink must run inside the transaction, by `record`. */
  statements(): readonly PromiseLike<unknown>[] | undefined;
  record(): Promise<void>;
}

/** Where practices and features say what happened. Audit and detection listen; neither is known here. */
@Injectable()
export class SecurityEvents {
  private readonly logger = new Logger('SecurityEvents');
  private readonly sinks: SecurityEventSink[] = [];

  subscribe(sink: SecurityEventSink): void {
    this.sinks.push(sink);
  }

  /** A change and its event commit together or not at all: call it inside `Database.transaction()`. */
  async record(event: SecurityEvent): Promise<void> {
    for (const sink of this.sinks) await sink.record(event);
  }

  /** The same for a change that is one statement: `Database.together(change, events.recording(event))`. */
  recording(event: SecurityEvent): Recording {
    return {
      statements: () => {
        const written = this.sinks.map((sink) => sink.statements?.(event));
        return written.every((statements) => statements !== undefined) ? written.flat() : undefined;
      },
      record: () => this.record(event),
    };
  }

  /** A refusal or an incident. Never fails the caller: a broken sink is logged, and the refusal stands. */
  report(event: SecurityEvent): void {
    for (const sink of this.sinks) {
      try {
        sink.report(event);
      } catch (error) {
        this.logger.error('a sink of security events failed', error);
      }
    }
  }
}
