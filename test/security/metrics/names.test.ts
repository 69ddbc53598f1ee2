import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApp, type TestApp } from '../../support/app.js';
import { namesIn, scrape } from './scrape.js';

let app: TestApp;
let emitted: readonly string[];

beforeAll(async () => {
  app = await startApp({ instances: 1 });
  emitted = namesIn(await scrape(app));
});
afterAll(() => app.close());

/** Metrics of parts that may be absent: the rules about them are silent then. */
const folders = [
  { prefix: 'audit_', folder: join('src/security/audit', 'audit-seals') },
  { prefix: 'log_', folder: join('src/security', 'logging') },
];
const isOfAbsentPart = (name: string) =>
  folders.some(({ prefix, folder }) => name.startsWith(prefix) && !existsSync(folder));

/** What is left of an expression without labels and groups, and is written like a metric. */
function metricsIn(expression: string): string[] {
  const bare = expression.replaceAll(/\{[^}]*\}|\[[^\]]*\]|by \([^)]*\)|"[^"]*"/g, ' ');
  return (bare.match(/\b[a-z]+(?:_[a-z0-9]+)+\b/g) ?? [])
    .filter((name) => !['histogram_quantile', 'clamp_min', 'label_values'].includes(name))
    .map((name) => name.replace(/_(?:bucket|count|sum)$/, ''));
}

const rules = ['rules.yml', 'audit-seals.yml']
  .map((name) => readFileSync(`deploy/prometheus/${name}`, 'utf8'))
  .flatMap((text) => text.split('- alert: ').slice(1));
const expressionsOfRules = rules.map(
  (rule) => /expr:(.*?)\n {8}(?:for|labels):/s.exec(rule)?.[1] ?? 'no_expression_found',
);
const dashboard = JSON.parse(readFileSync('deploy/grafana/dashboard.json', 'utf8')) as {
  panels: { title: string; targets: { expr: string }[] }[];
};

describe('what stands in files is what the service tells', () => {
  it('the table of docs/practices/metrics.md has each metric of the service, and no other', () => {
    const page = readFileSync('docs/practices/metrics.md', 'utf8');
    const documented = [...page.matchAll(/^\| `([a-z_]+)` \|/gm)].map(([, name]) => name);
    const own = emitted.filter((name) => !/^(?:process|nodejs)_/.test(name));
    expect(documented.toSorted()).toEqual(own.toSorted());
  });

  it.each([
    ['rules', expressionsOfRules],
    ['dashboard', dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr))],
  ])(
    'each metric of the %s is one that a running service tells: a misspelt one would be silent',
    (_name, expressions) => {
      expect(expressions.length).toBeGreaterThan(15);
      const named = new Set(expressions.flatMap(metricsIn));
      expect(named.size).toBeGreaterThan(10);
      expect([...named].filter((name) => !emitted.includes(name) && !isOfAbsentPart(name))).toEqual([]);
    },
  );

  it('each alert has a severity, a sentence and a heading in the runbook, and each heading its alert', () => {
    const headings = [...readFileSync('deploy/prometheus/runbook.md', 'utf8').matchAll(/^## (\w+)$/gm)].map(
      ([, one]) => one,
    );
    const names = rules.map((rule) => /^\w+/.exec(rule)?.[0] ?? '');
    expect(headings.toSorted()).toEqual([...new Set(names)].toSorted());
    for (const [at, rule] of rules.entries()) {
      expect(rule).toMatch(/labels: \{ severity: (?:critical|warning|info|'\{\{ \$labels\.severity \}\}') \}/);
      expect(rule).toMatch(/summary: \S/);
      expect(rule).toContain(`runbook_url: deploy/prometheus/runbook.md#${names[at]?.toLowerCase()}\n`);
    }
  });
});
