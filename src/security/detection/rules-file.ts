import { readFileSync } from 'node:fs';
import { isMap, isScalar, isSeq, LineCounter, parseDocument, type Node, type Pair, type Scalar } from 'yaml';
import { ownActions, vocabularyActions } from '../../common/events/security-events.js';
import { ConfigurationError, faultsAmong } from '../../config/index.js';
import { keys, outcomes, type Rule } from './rule.js';

/** Far more than rules fill, and little to read. */
const maxBytes = 256 * 1024;

/** A value, or the fix. */
type Check = (value: unknown) => string | undefined;

const oneOf =
  (words: readonly string[]): Check =>
  (value) =>
    words.includes(value as string) ? undefined : `set one of ${words.join(', ')}`;
const whole =
  (least: number, most: number): Check =>
  (value) =>
    Number.isInteger(value) && (value as number) >= least && (value as number) <= most
      ? undefined
      : `set a whole number from ${least} to ${most}`;
const matching =
  (pattern: RegExp, what: string): Check =>
  (value) =>
    typeof value === 'string' && pattern.test(value) ? undefined : `set ${what}`;

/** The fields of one thing: a check for what stands there, a list of checked items, or the fields inside. */
interface Fields {
  readonly [name: string]: Check | { readonly each: Check } | { readonly fields: Fields };
}

/** Told late: the parts declare their actions while their files are loaded. */
const action: Check = (value) =>
  [...vocabularyActions, ...ownActions()].includes(value as never)
    ? undefined
    : 'no part of this service reports it: npm run inventory lists the actions';

const subject: Fields = {
  actions: { each: action },
  outcomes: { each: oneOf(outcomes) },
  reasons: { each: matching(/^[\w-]{1,64}$/, 'a reason, such as signature') },
  statuses: { each: whole(400, 599) },
};

const fields: Fields = {
  kind: oneOf(['single', 'count', 'distinct', 'ratio', 'sequence', 'gauge']),
  severity: oneOf(['critical', 'warning', 'info']),
  runbook: matching(/^[a-z][a-z0-9-]{1,63}$/, 'the name of a page: small letters, digits and hyphens'),
  meaning: matching(/^[^\p{C}]{10,300}$/u, 'one sentence of 10 to 300 characters'),
  key: oneOf(keys),
  of: oneOf(keys),
  threshold: whole(1, 1_000_000_000),
  factor: whole(2, 1000),
  windowSeconds: whole(1, 86_400),
  measure: matching(/^[a-z][a-z0-9_]{2,99}$/, 'the name of a measure'),
  when: oneOf(['above', 'below']),
  next: { fields: subject },
  among: { fields: subject },
  ...subject,
};

/** What a rule of each kind has beside severity, runbook and meaning, and what it may have. */
const shapes: Readonly<Record<Rule['kind'], { readonly needs: readonly string[]; readonly may: readonly string[] }>> = {
  single: { needs: ['key'], may: Object.keys(subject) },
  count: { needs: ['key', 'threshold', 'windowSeconds'], may: Object.keys(subject) },
  distinct: { needs: ['key', 'of', 'threshold', 'windowSeconds'], may: Object.keys(subject) },
  ratio: { needs: ['key', 'threshold', 'factor', 'windowSeconds'], may: ['among', ...Object.keys(subject)] },
  sequence: { needs: ['key', 'next', 'windowSeconds'], may: Object.keys(subject) },
  gauge: { needs: ['measure', 'when', 'threshold', 'windowSeconds'], may: [] },
};

/**
 * The rules in force: those of the table as the file changes them, without those that it turns off, and its own.
 * @throws ConfigurationError with every fault: its line, and the fix.
 */
export function readRulesFile(file: string | undefined, table: readonly Rule[]): readonly Rule[] {
  if (file === undefined) return table;
  const { rules, faults } = parseRules(contentOf(file), table);
  if (faults.length > 0) throw new ConfigurationError(faults.map((fault) => `DETECTION_RULES_FILE: ${fault}`));
  return rules;
}

function contentOf(file: string): string {
  try {
    const content = readFileSync(file);
    if (content.length <= maxBytes) return content.toString('utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new ConfigurationError([`DETECTION_RULES_FILE: it cannot be read (${code}); check its path and its owner`]);
  }
  throw new ConfigurationError([`DETECTION_RULES_FILE: it is larger than ${maxBytes} bytes: a list of rules is not`]);
}

/** Reads text in YAML, of which JSON is a part. */
export function parseRules(text: string, table: readonly Rule[]): { rules: readonly Rule[]; faults: string[] } {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const reader = new Reader((offset) => lines.linePos(offset).line);
  for (const error of document.errors) reader.fault(error.pos[0], `it is no YAML: ${error.message}`);
  if (reader.faults.length > 0) return { rules: table, faults: reader.faults };
  return { rules: reader.rules(document.contents, table), faults: reader.faults };
}

type Values = Record<string, unknown>;

/** Collects faults, so that one restart mends them all. */
class Reader {
  readonly faults: string[] = [];

  constructor(private readonly lineAt: (offset: number) => number) {}

  fault(offset: number, what: string): void {
    this.faults.push(`line ${this.lineAt(offset)}: ${what}`);
  }

  rules(node: Node | null, table: readonly Rule[]): readonly Rule[] {
    const known = new Map<string, Rule>(table.map((rule) => [rule.name, rule]));
    for (const [name, value, at] of this.pairs(node, 'name each rule, and below it what changes')) {
      if (isScalar(value) && value.value === false) {
        if (!known.delete(name)) this.fault(at, `${name}: there is no such rule to turn off`);
      } else if (/^[a-z][a-z0-9_]{2,63}$/.test(name)) this.change(known, name, { value, at });
      else this.fault(at, 'name a rule by small letters, digits and underscores');
    }
    return [...known.values()];
  }

  private change(known: Map<string, Rule>, name: string, { value, at }: { value: Node | null; at: number }): void {
    const before = this.faults.length;
    const changes = this.read(value, fields, name);
    const merged: Values = { ...known.get(name), ...changes, name };
    if (this.faults.length === before) this.assertWhole(merged, at);
    known.set(name, merged as unknown as Rule);
  }

  /** What the kind needs is there, and nothing else, which would look as if it counted. */
  private assertWhole(rule: Values, at: number): void {
    const { needs, may } = shapes[rule['kind'] as Rule['kind']] ?? { needs: [], may: [] };
    const needed = ['kind', 'severity', 'runbook', 'meaning', ...needs];
    const missing = needed.filter((field) => rule[field] === undefined);
    const surplus = Object.keys(rule).filter((field) => !['name', ...needed, ...may].includes(field));
    const { name, kind } = rule as { name: string; kind: string };
    if (missing.length > 0) this.fault(at, `${name}: it has no ${missing.join(', ')}: set them`);
    else if (surplus.length > 0) this.fault(at, `${name}: a ${kind} rule has no ${surplus.join(', ')}`);
    else for (const fault of misfits(rule)) this.fault(at, `${name}: ${fault}`);
  }

  private read(node: Node | null, known: Fields, where: string): Values {
    const values: Values = {};
    for (const [name, value, at] of this.pairs(node, `${where}: set fields, or false to turn it off`)) {
      const field = Object.hasOwn(known, name) ? known[name] : undefined;
      if (field === undefined)
        this.fault(at, `${where}: there is no field of that name; there are ${Object.keys(known).join(', ')}`);
      else if (typeof field === 'function')
        values[name] = this.checked(value, field, { where: `${where}.${name}`, at });
      else if ('fields' in field) values[name] = this.read(value, field.fields, `${where}.${name}`);
      else values[name] = this.items(value, field.each, { where: `${where}.${name}`, at });
    }
    return values;
  }

  private items(node: Node | null, each: Check, place: Place): unknown[] | undefined {
    if (isSeq<Node>(node) && node.items.length > 0)
      return node.items.map((item) => this.checked(item, each, { ...place, at: item.range?.[0] ?? place.at }));
    this.fault(place.at, `${place.where}: set a list`);
    return undefined;
  }

  private checked(node: Node | null, check: Check, { where, at }: Place): unknown {
    const value = isScalar(node) ? node.value : undefined;
    const fix = check(value);
    if (fix !== undefined) this.fault(at, `${where}: ${fix}`);
    return value;
  }

  /** Aliases are no mappings, so nothing grows by them. */
  private *pairs(node: Node | null, fix: string): Generator<readonly [string, Node | null, number]> {
    if (!isMap(node)) this.fault(node?.range?.[0] ?? 0, fix);
    if (!isMap(node)) return;
    for (const { key, value } of node.items as Pair<Scalar, Node | null>[])
      yield [String(isScalar(key) ? key.value : ''), value, key.range?.[0] ?? 0];
  }
}

/** What several fields together get wrong. */
const misfits = ({ kind, key, actions, statuses }: Values): string[] =>
  faultsAmong([
    [kind === 'ratio' && key !== 'global' && key !== 'route', 'a ratio is by route or global'],
    [
      kind !== 'gauge' && kind !== 'ratio' && actions === undefined && statuses === undefined,
      'name its actions or its statuses',
    ],
  ]);

interface Place {
  readonly where: string;
  readonly at: number;
}
