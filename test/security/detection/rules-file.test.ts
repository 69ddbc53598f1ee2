import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseRules, readRulesFile } from '../../../src/security/detection/rules-file.js';
import { rules } from '../../../src/security/detection/rules.js';
import { startApp } from '../../support/app.js';

const read = (text: string) => parseRules(text, rules);
const find = (text: string, name: string) => read(text).rules.find((rule) => rule.name === name);

const own = `
logins_at_night:
  kind: count
  actions: [authn_login_success]
  key: network
  threshold: 3
  windowSeconds: 60
  severity: info
  runbook: logins-at-night
  meaning: Somebody signs in at night.
`;

describe('the owner changes rules by a file, and a file with faults stops the boot [practice 10.3]', () => {
  it('changes a threshold, turns a rule off, adds one: the others stay as they are', () => {
    const text = `account_failures:\n  threshold: 20\nroute_spike: false\n${own}`;
    const { rules: read_, faults } = read(text);
    expect(faults).toEqual([]);
    expect(find(text, 'account_failures')).toMatchObject({ threshold: 20, windowSeconds: 900, key: 'account' });
    expect(find(text, 'route_spike')).toBeUndefined();
    expect(find(text, 'logins_at_night')).toMatchObject({ kind: 'count', actions: ['authn_login_success'] });
    expect(read_).toHaveLength(rules.length);
  });

  it('the same in JSON', () => {
    expect(find('{ "account_failures": { "threshold": 20 } }', 'account_failures')).toMatchObject({ threshold: 20 });
  });

  it.each([
    ['account_failures:\n  threshold: 0', 'line 2: account_failures.threshold: set a whole number from 1'],
    ['account_failures:\n  threshold: "8"', 'line 2: account_failures.threshold: set a whole number'],
    ['account_failures:\n  treshold: 9', 'line 2: account_failures: there is no field of that name; there are kind'],
    ['\n\nacount_failures:\n  threshold: 9', 'line 3: acount_failures: it has no kind, severity, runbook, meaning'],
    ['acount_failures: false', 'line 1: acount_failures: there is no such rule to turn off'],
    [
      'account_failures:\n  actions:\n    - authn_login_fial',
      'line 3: account_failures.actions: no part of this service',
    ],
    ['account_failures:\n  actions: []', 'line 2: account_failures.actions: set a list'],
    ['account_failures:\n  factor: 3', 'line 1: account_failures: a count rule has no factor'],
    ['account_failures:\n  key: account\n  key: network', 'line 3: it is no YAML: Map keys must be unique'],
    ['account_failures:\n\tthreshold: 9', 'line 2: it is no YAML'],
    ['a: &a\n  b: 1\naccount_failures: *a', 'line 3: account_failures: set fields, or false'],
    ['- account_failures', 'line 1: name each rule'],
    ['', 'line 1: name each rule'],
    ['__proto__:\n  threshold: 9', 'line 1: name a rule by small letters'],
    ['account_failures:\n  constructor: 9', 'line 2: account_failures: there is no field of that name'],
    ['takeover:\n  next: { statuses: [200] }', 'line 2: takeover.next.statuses: set a whole number from 400 to 599'],
    [own.replace('key: network', 'key: planet'), 'line 5: logins_at_night.key: set one of account, network'],
    [
      own.replace('  actions: [authn_login_success]\n', ''),
      'line 2: logins_at_night: name its actions or its statuses',
    ],
    ['route_spike:\n  key: account', 'line 1: route_spike: a ratio is by route or global'],
  ])('%j: %s', (text, fault) => {
    const { faults } = read(text);
    expect(faults.join('\n')).toContain(fault);
  });

  it('every fault is told at once, so that one restart mends them all', () => {
    expect(read('account_failures:\n  threshold: 0\n  windowSeconds: 0\n  severity: high').faults).toHaveLength(3);
  });

  it('a file that is missing or huge: the variable and the fix', () => {
    const file = join(mkdtempSync(join(tmpdir(), 'rules-')), 'rules.yaml');
    expect(() => readRulesFile(file, rules)).toThrow(/DETECTION_RULES_FILE: it cannot be read \(ENOENT\)/);
    writeFileSync(file, '#'.repeat(300_000));
    expect(() => readRulesFile(file, rules)).toThrow(/DETECTION_RULES_FILE: it is larger than/);
  });

  it('the service does not start with a file that has a fault', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'rules-')), 'rules.yaml');
    writeFileSync(file, 'account_failures:\n  threshold: many\n');
    const start = startApp({ env: { DETECTION_RULES_FILE: file } });
    await expect(start).rejects.toThrow(
      /DETECTION_RULES_FILE: line 2: account_failures\.threshold: set a whole number/,
    );
  });
});
