import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Rule } from '../../../src/security/detection/rule.js';
import { rules } from '../../../src/security/detection/rules.js';

const page = 'docs/practices/detection.md';

const times = (seconds: number): string =>
  seconds % 3600 === 0 ? `${seconds / 3600} h` : seconds % 60 === 0 ? `${seconds / 60} min` : `${seconds} s`;

/** What a rule says, in a cell. */
const whenOf: { [K in Rule['kind']]: (rule: Extract<Rule, { kind: K }>) => string } = {
  single: () => 'each',
  count: ({ threshold, windowSeconds }) => `${threshold} in ${times(windowSeconds)}`,
  distinct: ({ threshold, of, windowSeconds }) => `${threshold} different by ${of} in ${times(windowSeconds)}`,
  ratio: ({ threshold, factor, windowSeconds, among }) =>
    `${threshold} in ${times(windowSeconds)}, and ${factor} times the usual ${among ? 'share' : 'number'}`,
  sequence: ({ next, windowSeconds }) =>
    `then ${next.actions?.map((name) => `\`${name}\``).join(', ')} in ${times(windowSeconds)}`,
  gauge: ({ when, threshold }) => `${when} ${times(threshold)}`,
};

function rowOf(rule: Rule): string {
  const subject =
    rule.kind === 'gauge' ? [rule.measure] : (rule.actions ?? rule.statuses?.map(String) ?? ['every answer']);
  const about = subject.map((name) => (name === 'every answer' ? name : `\`${name}\``)).join(', ');
  const by = rule.kind === 'gauge' ? '-' : rule.key;
  const reasons = 'reasons' in rule && rule.reasons !== undefined ? ` (${rule.reasons.join(', ')})` : '';
  const { name, severity, runbook } = rule;
  const link = `[${runbook}](../runbooks/${runbook}.md)`;
  return `| \`${name}\` | ${about}${reasons} | ${by} | ${whenOf[rule.kind](rule as never)} | ${severity} | ${link} |`;
}

const table = [
  '| rule | about | by | when | severity | runbook |',
  '|---|---|---|---|---|---|',
  ...rules.map(rowOf),
].join('\n');

describe('whoever is woken finds what to do [practice 10.3]', () => {
  it('every rule has its runbook, and every runbook a rule', () => {
    const isOfAlerts = (path: string) => /^Alerts: /m.test(readFileSync(path, 'utf8'));
    const pages = globSync('docs/runbooks/*.md').filter(isOfAlerts);
    expect(pages.map((path) => basename(path, '.md')).toSorted()).toEqual(
      [...new Set(rules.map(({ runbook }) => runbook))].toSorted(),
    );
  });

  it.each([...new Set(rules.map(({ runbook }) => runbook))])(
    '%s names its alerts, and says what, how and then',
    (name) => {
      const text = readFileSync(`docs/runbooks/${name}.md`, 'utf8');
      const named = /^Alerts: (.*)\.$/m
        .exec(text)?.[1]
        ?.split(', ')
        .map((word) => word.replaceAll('`', ''));
      expect(named).toEqual(rules.filter(({ runbook }) => runbook === name).map((rule) => rule.name));
      expect(text.match(/^## .*$/gm)).toEqual(['## What it means', '## How to look', '## What to do']);
    },
  );

  it('the page has the table as it is: TABLE=write renews it', () => {
    const text = readFileSync(page, 'utf8');
    const found = /^\| rule \|[^]*?(?=\n\n)/m.exec(text)?.[0] ?? '';
    if (process.env['TABLE'] === 'write') writeFileSync(page, text.replace(found, table));
    else expect(found).toBe(table);
  });
});
