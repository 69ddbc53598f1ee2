import { ApiProperty } from '@nestjs/swagger';
import { allOf, anyOf, type ObjectPolicy, type Standing, type Standings } from './policy.js';

const WRITABLE_BY = Symbol('writable by');

type Named = readonly [Standing, ...Standing[]];
const none: ReadonlyMap<string, Named> = new Map();

/**
 * Of those who may change the object, only these may change this field (OWASP API3, ASVS v5.0.0-8.2.3). It cannot be read before the
 * service has asked `writing()`. For fields of the input itself: those of an object inside it stay closed.
 */
export const WritableBy =
  (...standings: [Standing, ...Standing[]]): PropertyDecorator =>
  (target, property) => {
    ApiProperty({ description: `Only the ${standings.join(', ')} may send it.` })(target, property);
    Reflect.defineMetadata(WRITABLE_BY, new Map([...restrictedIn(target), [String(property), standings]]), target);
  };

/** The fields that fewer people may write, of an input or its class: inherited ones too. */
const restrictedIn = (target: object) => (Reflect.getMetadata(WRITABLE_BY, target) as ReadonlyMap<string, Named> | undefined) ?? none;

const opened = new WeakSet<object>();

/** Makes such fields of an input throw when they are read before `writing()`: who forgets it changes nothing, instead of everything. */
export function locked<Input extends Record<string, unknown>>(input: Input): Input {
  const restricted = restrictedIn(input);
  for (const [name, value] of Object.entries(input)) {
    if (typeof value === 'object' && value !== null) locked(value as Record<string, unknown>);
    if (restricted.has(name)) Object.defineProperty(input, name, { get: () => readOpened(input, name, value) });
  }
  return input;
}

function readOpened(input: object, name: string, value: unknown): unknown {
  if (opened.has(input)) return value;
  throw new TypeError(`${name} is @WritableBy() some only: ask writing() for the policy of these changes first`);
}

/**
 * The policy for these changes, which are the input as the handler got it: that of the action, and of each field among them that fewer
 * people may write.
 * @throws TypeError for a field that is left to a standing which the objects do not have, sent or not: nobody could tell who that is.
 */
export function writing<Facts, Where extends Nested<Where>>(
  policy: ObjectPolicy<Facts, Where>,
  standings: Standings<Facts, Where>,
  changes: object,
): ObjectPolicy<Facts, Where> {
  const rules = [...restrictedIn(changes)].map(([name, [first, ...others]]) => ({
    name,
    rule: anyOf(ruleOf(standings, first, name), ...others.map((standing) => ruleOf(standings, standing, name))),
  }));
  opened.add(changes);
  return allOf(policy, ...rules.filter(({ name }) => Object.hasOwn(changes, name)).map(({ rule }) => rule));
}

interface Nested<Where> {
  OR?: Where[];
  AND?: Where | Where[];
}

function ruleOf<Facts, Where>(standings: Standings<Facts, Where>, standing: Standing, field: string): ObjectPolicy<Facts, Where> {
  const rule = standings[standing];
  if (rule === undefined) throw new TypeError(`${field} is writable by ${standing}, which is no standing of these objects`);
  return rule;
}
