import type { Rule } from './rule.js';

const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;
const denied = ['denied'] as const;

/**
 * What is noticed, in one table. Thresholds lie above what a thousand people do by mistake in ten minutes, two hundred
 * of them behind one address (test/security/detection/honest-traffic.test.ts), and below what the limits of requests
 * let through. DETECTION_RULES_FILE changes them.
 */
export const rules: readonly Rule[] = [
  {
    name: 'account_failures',
    kind: 'count', actions: ['authn_login_fail'], outcomes: denied,
    key: 'account', threshold: 8, windowSeconds: 15 * minute,
    severity: 'warning', runbook: 'password-guessing',
    meaning: 'Somebody tries passwords of one account.',
  },
  {
    name: 'network_failures',
    kind: 'count', actions: ['authn_login_fail'], outcomes: denied,
    key: 'network', threshold: 50, windowSeconds: 10 * minute,
    severity: 'warning', runbook: 'password-guessing',
    meaning: 'Many sign-ins from one network fail.',
  },
  {
    name: 'credential_stuffing',
    kind: 'distinct', actions: ['authn_login_fail'], outcomes: denied,
    key: 'network', of: 'account', threshold: 25, windowSeconds: 10 * minute,
    severity: 'critical', runbook: 'credential-stuffing',
    meaning: 'Sign-ins to many accounts fail from one network: somebody tries passwords that leaked elsewhere.',
  },
  {
    name: 'unknown_accounts',
    kind: 'count', actions: ['authn_login_fail'], reasons: ['unknown'],
    key: 'network', threshold: 15, windowSeconds: 10 * minute,
    severity: 'warning', runbook: 'credential-stuffing',
    meaning: 'One network tries addresses that have no account: it works through a list.',
  },
  {
    name: 'password_spraying',
    kind: 'distinct', actions: ['authn_login_fail'], outcomes: denied,
    key: 'account', of: 'network', threshold: 6, windowSeconds: hour,
    severity: 'critical', runbook: 'password-guessing',
    meaning: 'Sign-ins to one account fail from many networks: the guessing is spread.',
  },
  {
    name: 'login_failure_ratio',
    kind: 'ratio', actions: ['authn_login_fail'], among: { actions: ['authn_login_success'] },
    key: 'global', threshold: 100, factor: 4, windowSeconds: minute,
    severity: 'critical', runbook: 'credential-stuffing',
    meaning: 'A much larger share of all sign-ins fails than is usual.',
  },
  {
    name: 'second_factor_failures',
    kind: 'count', actions: ['authn_factor_fail'], outcomes: denied,
    key: 'account', threshold: 4, windowSeconds: 15 * minute,
    severity: 'critical', runbook: 'second-factor-guessing',
    meaning: 'Somebody who knows the password of an account guesses its second factor.',
  },
  {
    name: 'passkey_copied',
    kind: 'single', actions: ['authn_factor_fail'], reasons: ['counter'], key: 'account',
    severity: 'critical', runbook: 'second-factor-guessing',
    meaning: 'A passkey came with a count that it had before: there are two of it.',
  },
  {
    name: 'step_up_failures',
    kind: 'count', actions: ['authn_password_change', 'authn_step_up_required'], outcomes: denied,
    key: 'credential', threshold: 6, windowSeconds: 10 * minute,
    severity: 'warning', runbook: 'stolen-session',
    meaning: 'A session asks again and again for what needs a fresh proof, and has none: it may be stolen.',
  },
  {
    name: 'takeover',
    kind: 'sequence', actions: ['authn_new_device', 'authn_recovery_code_used'],
    next: { actions: ['authn_factor_removed', 'user_email_changed'] },
    key: 'account', windowSeconds: hour,
    severity: 'warning', runbook: 'stolen-session',
    meaning: 'A sign-in from a new device was followed by a change of how the account is entered.',
  },
  {
    name: 'forged_credentials',
    kind: 'count', actions: ['authn_token_fail'],
    reasons: ['malformed', 'signature', 'issuer', 'audience', 'claims', 'unknown', 'proof', 'refresh-token-forged',
      'one-time-token', 'invalid_client'],
    key: 'network', threshold: 20, windowSeconds: 5 * minute,
    severity: 'warning', runbook: 'forged-credentials',
    meaning: 'One network sends credentials that this service never made.',
  },
  {
    name: 'revoked_credential',
    kind: 'single', actions: ['authn_token_fail'], reasons: ['revoked', 'invalid_client'], key: 'network',
    severity: 'warning', runbook: 'revoked-credential',
    meaning: 'A key, client or certificate was used that is revoked or unknown.',
  },
  {
    name: 'probing',
    kind: 'count', actions: ['authz_fail'], outcomes: denied,
    key: 'account', threshold: 20, windowSeconds: 10 * minute,
    severity: 'warning', runbook: 'probing',
    meaning: 'One account asks for many things that it may not have.',
  },
  {
    name: 'invented_input',
    kind: 'count', actions: ['input_validation_fail'],
    key: 'network', threshold: 50, windowSeconds: 10 * minute,
    severity: 'warning', runbook: 'probing',
    meaning: 'One network sends fields, cursors or codes that no honest client makes up.',
  },
  {
    name: 'foreign_origins',
    kind: 'count', actions: ['malicious_cors'],
    key: 'network', threshold: 20, windowSeconds: 10 * minute,
    severity: 'warning', runbook: 'foreign-origins',
    meaning: 'Pages of another origin send requests with the cookies of people who are signed in.',
  },
  {
    name: 'not_found_burst',
    kind: 'count', statuses: [404], key: 'network', threshold: 150, windowSeconds: minute,
    severity: 'warning', runbook: 'probing',
    meaning: 'One network asks for much that is not there: it scans.',
  },
  {
    name: 'forbidden_burst',
    kind: 'count', statuses: [403], key: 'network', threshold: 60, windowSeconds: minute,
    severity: 'warning', runbook: 'probing',
    meaning: 'One network gets many refusals: it looks for a door that is open.',
  },
  {
    name: 'limited_burst',
    kind: 'count', statuses: [429], key: 'network', threshold: 200, windowSeconds: minute,
    severity: 'warning', runbook: 'flood',
    meaning: 'One network goes on at full speed although it is refused.',
  },
  {
    name: 'server_errors',
    kind: 'count', statuses: [500, 502, 503, 504], key: 'route', threshold: 20, windowSeconds: minute,
    severity: 'warning', runbook: 'server-errors',
    meaning: 'One route fails again and again: something is broken, or somebody has found what breaks it.',
  },
  {
    name: 'route_spike',
    kind: 'ratio', key: 'route', threshold: 3000, factor: 10, windowSeconds: minute,
    severity: 'warning', runbook: 'flood',
    meaning: 'One route is called many times more than is usual.',
  },
  {
    name: 'reset_requests',
    kind: 'distinct', actions: ['authn_reset_requested'], key: 'network', of: 'account',
    threshold: 15, windowSeconds: hour,
    severity: 'warning', runbook: 'mail-abuse',
    meaning: 'One network asks for new passwords of many accounts.',
  },
  {
    name: 'registrations',
    kind: 'count', actions: ['user_registered'], key: 'network',
    threshold: 20, windowSeconds: hour,
    severity: 'warning', runbook: 'mail-abuse',
    meaning: 'One network makes many accounts.',
  },
  // What never happens by mistake: each is told by itself, under the name of its event.
  {
    name: 'crypt_decrypt_fail',
    kind: 'single', actions: ['crypt_decrypt_fail'], key: 'global',
    severity: 'critical', runbook: 'tampering',
    meaning: 'A sealed value in the database did not open: somebody changed it there, or a key is missing.',
  },
  {
    name: 'audit_tampered',
    kind: 'single', actions: ['audit_tampered'], key: 'global',
    severity: 'critical', runbook: 'audit-trail',
    meaning: 'The audit trail is not as it was written.',
  },
  {
    name: 'audit_seal_fail',
    kind: 'single', actions: ['audit_seal_fail'], key: 'global',
    severity: 'critical', runbook: 'audit-trail',
    meaning: 'The audit trail could not be sealed: what happens now could be taken back in silence.',
  },
  {
    name: 'audit_write_fail',
    kind: 'single', actions: ['audit_write_fail'], key: 'global',
    severity: 'critical', runbook: 'audit-trail',
    meaning:
      'An audit event could not be stored and was set aside: the log names it; find out who sent what the database ' +
      'does not take.',
  },
  {
    name: 'authn_token_reuse',
    kind: 'single', actions: ['authn_token_reuse'], key: 'account',
    severity: 'critical', runbook: 'stolen-session',
    meaning: 'A refresh token was used twice: somebody holds a copy. The session was ended and its owner told.',
  },
  {
    name: 'authn_credential_in_clear',
    kind: 'single', actions: ['authn_credential_in_clear'], key: 'global',
    severity: 'critical', runbook: 'credential-in-clear',
    meaning:
      'Something that looks like a credential crossed the wire in clear. What was ours and can be revoked was; find ' +
      'the client that sends it over plain HTTP.',
  },
  {
    name: 'authz_change',
    kind: 'single', actions: ['authz_change'], key: 'account',
    severity: 'warning', runbook: 'rights-changed',
    meaning: 'The roles of an account were changed.',
  },
  {
    name: 'audit_seal_lag',
    kind: 'gauge', measure: 'audit_seal_lag_seconds', when: 'above', threshold: 5 * minute, windowSeconds: hour,
    severity: 'critical', runbook: 'audit-trail',
    meaning: 'The audit trail was not sealed for minutes.',
  },
  {
    name: 'certificate_expires_30',
    kind: 'gauge', measure: 'tls_certificate_left_seconds', when: 'below', threshold: 30 * day, windowSeconds: day,
    severity: 'info', runbook: 'certificate-expires',
    meaning: 'The certificate of the service expires in less than 30 days.',
  },
  {
    name: 'certificate_expires_14',
    kind: 'gauge', measure: 'tls_certificate_left_seconds', when: 'below', threshold: 14 * day, windowSeconds: day,
    severity: 'warning', runbook: 'certificate-expires',
    meaning: 'The certificate of the service expires in less than 14 days.',
  },
  {
    name: 'certificate_expires_3',
    kind: 'gauge', measure: 'tls_certificate_left_seconds', when: 'below', threshold: 3 * day, windowSeconds: day,
    severity: 'critical', runbook: 'certificate-expires',
    meaning: 'The certificate of the service expires in less than 3 days.',
  },
  {
    name: 'mail_waits',
    kind: 'gauge', measure: 'mail_oldest_waiting_seconds', when: 'above', threshold: 15 * minute, windowSeconds: hour,
    severity: 'warning', runbook: 'mail-waits',
    meaning: 'Mail does not leave: notices of changes and tokens reach nobody.',
  },
]; // prettier-ignore
