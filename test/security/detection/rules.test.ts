import { afterEach, describe, expect, it } from 'vitest';
import { ownActions, vocabularyActions } from '../../../src/common/events/security-events.js';
import type { GaugeRule, Key, RatioRule, Rule, Subject } from '../../../src/security/detection/rule.js';
import { rules } from '../../../src/security/detection/rules.js';
import { Detecting, type Doer } from './detecting.js';

let detecting: Detecting;

const only = (rule: Rule): Detecting => (detecting = new Detecting([rule]));
afterEach(() => detecting.close());

/** One doer for each number, different in that key alone. */
const doerOf = (key: Key, number: number): Doer => ({
  userId: key === 'account' ? `account ${number}` : 'account',
  sessionId: key === 'credential' ? `session ${number}` : 'session',
  address: key === 'network' ? `198.51.${number >> 8}.${number & 255}` : '203.0.113.9',
});

/** Does once what the subject is about. */
function happen({ actions, outcomes, reasons, statuses }: Subject, doer: Doer = doerOf('global', 0)): void {
  const [status] = statuses ?? [];
  if (actions === undefined) return detecting.answer(status ?? 200, 'GET /v1/samples', doer);
  const details = { reason: reasons?.[0] ?? 'password' };
  const target = doer.userId === undefined ? {} : { target: { type: 'user', id: doer.userId } };
  detecting.event({ action: actions[0] as never, outcome: outcomes?.[0] ?? 'denied', details, ...target }, doer);
}

const times = (count: number, work: (number: number) => void): void => {
  for (let number = 0; number < count; number++) work(number);
};

/** A service at work: what is usual is known. */
function learnUsual({ among, windowSeconds, ...rule }: RatioRule): void {
  times(5, () => {
    if (among !== undefined) times(100, () => happen(among));
    else happen(rule);
    detecting.advance(windowSeconds);
  });
}

async function measured(rule: GaugeRule, value: number): Promise<void> {
  detecting.measures.add({ name: rule.measure, help: 'A value.', read: () => value });
  await detecting.detector.look();
}

/** For each kind: does what is one less than enough, then the one that is. */
const attacks: { [K in Rule['kind']]: (rule: Extract<Rule, { kind: K }>, isEnough: boolean) => Promise<void> | void } =
  {
    single: (rule, isEnough) => {
      happen(isEnough ? rule : { ...rule, outcomes: [], actions: ['user_updated'] });
    },
    count: (rule, isEnough) => times(rule.threshold - (isEnough ? 0 : 1), () => happen(rule)),
    distinct: (rule, isEnough) => {
      times(rule.threshold - 1, (number) => happen(rule, doerOf(rule.of, number)));
      happen(rule, doerOf(rule.of, isEnough ? rule.threshold : 0));
    },
    ratio: (rule, isEnough) => {
      learnUsual(rule);
      times(rule.threshold - (isEnough ? 0 : 1), () => happen(rule));
    },
    sequence: (rule, isEnough) => {
      if (isEnough) happen(rule);
      happen(rule.next);
    },
    gauge: (rule, isEnough) => measured(rule, rule.threshold + (isEnough ? 0 : rule.when === 'above' ? -1 : 1)),
  };
const others = (rule: Rule): Subject[] =>
  rule.kind === 'sequence' ? [rule.next] : rule.kind === 'ratio' && rule.among !== undefined ? [rule.among] : [];

/** Declared where the part is there. */
const ofRemovableParts = [
  'authn_factor_fail',
  'authn_factor_removed',
  'authn_recovery_code_used',
  'authn_reset_requested',
  'user_email_changed',
  'user_registered',
  'audit_tampered',
  'audit_seal_fail',
];

const attack = (rule: Rule, isEnough: boolean) => attacks[rule.kind](rule as never, isEnough);

/**
 * What each rule is there for, in the order of the table. A rule without a row fails: whoever adds one says here what
 * it raises, of what kind it is, and by what it counts.
 */
const rows: readonly (readonly [name: string, kind: Rule['kind'], key: Key | 'measure', threshold: number])[] = [
  ['account_failures', 'count', 'account', 8],
  ['network_failures', 'count', 'network', 50],
  ['credential_stuffing', 'distinct', 'network', 25],
  ['unknown_accounts', 'count', 'network', 15],
  ['password_spraying', 'distinct', 'account', 6],
  ['login_failure_ratio', 'ratio', 'global', 100],
  ['second_factor_failures', 'count', 'account', 4],
  ['passkey_copied', 'single', 'account', 1],
  ['step_up_failures', 'count', 'credential', 6],
  ['takeover', 'sequence', 'account', 1],
  ['forged_credentials', 'count', 'network', 20],
  ['revoked_credential', 'single', 'network', 1],
  ['probing', 'count', 'account', 20],
  ['invented_input', 'count', 'network', 50],
  ['foreign_origins', 'count', 'network', 20],
  ['not_found_burst', 'count', 'network', 150],
  ['forbidden_burst', 'count', 'network', 60],
  ['limited_burst', 'count', 'network', 200],
  ['server_errors', 'count', 'route', 20],
  ['route_spike', 'ratio', 'route', 3000],
  ['reset_requests', 'distinct', 'network', 15],
  ['registrations', 'count', 'network', 20],
  ['crypt_decrypt_fail', 'single', 'global', 1],
  ['audit_tampered', 'single', 'global', 1],
  ['audit_seal_fail', 'single', 'global', 1],
  ['audit_write_fail', 'single', 'global', 1],
  ['authn_token_reuse', 'single', 'account', 1],
  ['authn_credential_in_clear', 'single', 'global', 1],
  ['authz_change', 'single', 'account', 1],
  ['audit_seal_lag', 'gauge', 'measure', 300],
  ['certificate_expires_30', 'gauge', 'measure', 30 * 86_400],
  ['certificate_expires_14', 'gauge', 'measure', 14 * 86_400],
  ['certificate_expires_3', 'gauge', 'measure', 3 * 86_400],
  ['mail_waits', 'gauge', 'measure', 900],
];

describe('each rule is noticed at its threshold, and not one below [practice 10.3] [ASVS 16.3.3]', () => {
  it('each rule of the table has a row here, and no row is of a rule that is gone', () => {
    detecting = new Detecting([]);
    const facts = rules.map((rule) => [
      rule.name,
      rule.kind,
      rule.kind === 'gauge' ? 'measure' : rule.key,
      'threshold' in rule ? rule.threshold : 1,
    ]);
    expect(facts).toEqual(rows);
  });

  it('names no action that nobody reports: such a rule would be silent for ever', () => {
    detecting = new Detecting([]);
    const named = rules.flatMap((rule) =>
      (rule.kind === 'gauge' ? [] : [rule, ...others(rule)]).flatMap(({ actions = [] }: Subject) => actions),
    );
    const reported: readonly string[] = [...vocabularyActions, ...ownActions(), ...ofRemovableParts];
    expect(named.filter((name) => !reported.includes(name))).toEqual([]);
  });

  it.each(rules.map((rule) => [rule.name, rule] as const))('%s: one less is silent', async (_, rule) => {
    only(rule);
    await attack(rule, false);
    expect(detecting.names).toEqual([]);
  });

  it.each(rules.map((rule) => [rule.name, rule] as const))('%s: enough is an alert', async (name, rule) => {
    only(rule);
    await attack(rule, true);
    expect(detecting.names).toEqual([name]);
    const { severity, runbook, summary, isPersonal = false } = detecting.raised[0] ?? {};
    expect({ severity, runbook, summary }).toEqual({
      severity: rule.severity,
      runbook: rule.runbook,
      summary: rule.meaning,
    });
    expect(isPersonal).toBe(rule.kind !== 'gauge' && rule.key === 'network');
  });

  const spread = rules.filter((rule) => 'key' in rule && rule.kind === 'count' && rule.key !== 'route');
  it.each(spread.map((rule) => [rule.name, rule] as const))('%s: spread over keys or time is silent', (_, rule) => {
    if (rule.kind !== 'count') return;
    only(rule);
    times(rule.threshold * 2, (number) => happen(rule, doerOf(rule.key, number)));
    times(rule.threshold * 2, () => {
      happen(rule);
      detecting.advance(rule.windowSeconds / (rule.threshold - 2));
    });
    expect(detecting.names).toEqual([]);
  });
});
