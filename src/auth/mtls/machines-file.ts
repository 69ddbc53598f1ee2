import { machineScopes } from '../../common/access/access.decorators.js';
import { machineTiers, type MachineTier } from '../../common/access/principal.js';

/** A program that calls by its certificate. */
export interface MappedMachine {
  readonly id: string;
  /** The account whose rights it has, at most. */
  readonly owner: string;
  readonly scopes: readonly string[];
  readonly tier: MachineTier;
}

/** Who is who, by the names of `ClientCertificate`. A gateway speaks for others, and is no machine itself. */
export type MachinesFile = ReadonlyMap<string, MappedMachine | 'gateway'>;

/** Where something is wrong, and the fix. It must not repeat what the file holds. */
export class MachinesFault extends Error {}

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const names = {
  uri: /^[a-z][a-z0-9+.-]*:[\x21-\x7e]{1,500}$/,
  dns: /^(?=.{1,253}$)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*$/,
  sha256: /^[0-9a-f]{64}$/,
};

/**
 * Reads the mapping. What is missing, unknown or there twice is a fault: a line that is half understood would give
 * somebody the rights of somebody else.
 * @throws MachinesFault
 */
export function parseMachinesFile(text: string): MachinesFile {
  const root = recordOf(parseJson(text), 'the file', ['machines', 'gateways']);
  const file = new Map<string, MappedMachine | 'gateway'>();
  const add = (name: string, entry: MappedMachine | 'gateway', where: string): void => {
    if (file.has(name)) fail(`${where}: another entry has this certificate: name each once`);
    file.set(name, entry);
  };
  for (const [index, entry] of listOf(root['machines'], 'machines').entries()) {
    const where = `machines[${index}]`;
    const record = recordOf(entry, where, ['id', 'owner', 'certificate', 'scopes', 'tier']);
    add(nameOf(record['certificate'], `${where}.certificate`), machineOf(record, where), where);
  }
  const ids = [...file.values()].map((entry) => entry !== 'gateway' && entry.id);
  if (new Set(ids).size < ids.length) fail('machines: two entries have one id: give each its own');
  for (const [index, entry] of listOf(root['gateways'], 'gateways').entries()) {
    const where = `gateways[${index}]`;
    add(nameOf(entry, where), 'gateway', where);
  }
  return file;
}

function machineOf(record: Readonly<Record<string, unknown>>, where: string): MappedMachine {
  const scopes = listOf(record['scopes'], `${where}.scopes`);
  const unknown = scopes.findIndex((scope) => !machineScopes.includes(scope as string));
  if (unknown !== -1) fail(`${where}.scopes[${unknown}]: no route that is open to machines has this permission`);
  const tier = machineTiers.find((one) => one === (record['tier'] ?? 'standard'));
  return {
    id: idOf(record['id'], `${where}.id`),
    owner: idOf(record['owner'], `${where}.owner`),
    scopes: scopes as string[],
    tier: tier ?? fail(`${where}.tier: set one of: ${machineTiers.join(', ')}`),
  };
}

const idOf = (value: unknown, where: string): string =>
  typeof value === 'string' && uuid.test(value) ? value : fail(`${where}: set a UUID in small letters`);

/** `{ "dns": "lab.example.org" }` as `dns:lab.example.org`. */
function nameOf(value: unknown, where: string): string {
  const entries = Object.entries(recordOf(value, where, Object.keys(names)));
  const [kind, name] = entries[0] ?? [];
  const isName = typeof name === 'string' && names[kind as keyof typeof names].test(name);
  return isName && entries.length === 1 ? `${kind}:${name}` : fail(`${where}: set one of uri, dns and sha256`);
}

function recordOf(value: unknown, where: string, known: readonly string[]): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return fail(`${where}: set an object`);
  const isKnown = Object.keys(value).every((key) => known.includes(key));
  return isKnown ? (value as Record<string, unknown>) : fail(`${where}: it may have ${known.join(', ')} and no more`);
}

const listOf = (value: unknown = [], where = ''): readonly unknown[] =>
  Array.isArray(value) ? value : fail(`${where}: set a list`);

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return fail('the file is no JSON: mend it');
  }
}

const fail = (fix: string): never => {
  throw new MachinesFault(fix);
};
