import { resolve } from 'node:path';
import { isPlainAddress } from '../common/mail-address.js';
import type { LinkFiles } from './link.js';
import { linkFaults } from './links.js';
import { productionFaults } from './production.js';
import type { Config, Settings, SettingsFamily, ValuesOf, Variables } from './config.types.js';
import { declaredFamilies, declaredSettings } from './settings.js';
import type { Variable } from './variable.js';
import { variables } from './variables.js';

type Values = ValuesOf<typeof variables>;
type Environment = Readonly<Record<string, string | undefined>>;

/** Every fault of the configuration at once, so that one restart mends them all. Never holds a value. */
export class ConfigurationError extends Error {
  constructor(readonly faults: readonly string[]) {
    super(
      `the configuration has ${faults.length} fault${faults.length === 1 ? '' : 's'}:\n  - ${faults.join('\n  - ')}`,
    );
  }
}

/**
 * Reads the variables into the frozen configuration.
 * @throws ConfigurationError with every fault: the variable's name and the fix.
 */
export function readConfig(environment: Environment): Config {
  const faults: string[] = [];
  const values = readAll(variables, environment, faults);
  const declared = new Map(
    declaredSettings().map((settings) => [settings, readAll(settings.variables, environment, faults)]),
  );
  const named = new Map(declaredFamilies().map((family) => [family, readFamily(family, environment, faults)]));
  const config = toConfig(values, { of: valuesAmong(declared, environment), each: eachAmong(named, environment) });
  if (faults.length === 0) {
    faults.push(...contradictions(config));
    for (const [settings, own] of declared) faults.push(...settings.faultsOf(own, config));
    for (const [family, all] of named)
      for (const [name, own] of all) faults.push(...family.faultsOf(own, prefixOf(family, name)));
  }
  // With the others, so that one restart mends them all.
  if (config.production) faults.push(...productionFaults(config, environment));
  if (faults.length > 0) throw new ConfigurationError(faults);
  return Object.freeze(config);
}

/** A command may load a feature after it has read the configuration: its variables are read then. */
const valuesAmong =
  (declared: ReadonlyMap<object, object>, environment: Environment): Config['of'] =>
  <V extends Variables>(settings: Settings<V>): ValuesOf<V> => {
    const faults: string[] = [];
    const values = declared.get(settings) ?? readAll(settings.variables, environment, faults);
    if (faults.length > 0) throw new ConfigurationError(faults);
    return values as ValuesOf<V>;
  };

const eachAmong =
  (named: ReadonlyMap<object, object>, environment: Environment): Config['each'] =>
  <V extends Variables>(family: SettingsFamily<V>): ReadonlyMap<string, ValuesOf<V>> => {
    const faults: string[] = [];
    const values = named.get(family) ?? readFamily(family, environment, faults);
    if (faults.length > 0) throw new ConfigurationError(faults);
    return values as ReadonlyMap<string, ValuesOf<V>>;
  };

const prefixOf = ({ prefix }: Pick<SettingsFamily, 'prefix'>, name: string): string =>
  `${prefix}_${name.toUpperCase()}_`;

/** One set of values for each name in the environment. A variable that the family does not know is a typing error. */
function readFamily<V extends Variables>(
  { prefix, variables: definitions }: SettingsFamily<V>,
  environment: Environment,
  faults: string[],
): ReadonlyMap<string, ValuesOf<V>> {
  const known = Object.keys(definitions);
  const names = new Set<string>();
  for (const [variable, value] of Object.entries(environment)) {
    if (!variable.startsWith(`${prefix}_`) || (value ?? '') === '') continue;
    const [, name, rest = ''] = /^([A-Z][A-Z0-9]{0,29})_(.+)$/.exec(variable.slice(prefix.length + 1)) ?? [];
    if (name !== undefined && known.includes(rest)) names.add(name);
    else faults.push(`${variable}: there is no such variable: set ${prefix}_<NAME>_ and one of: ${known.join(', ')}`);
  }
  return new Map(
    [...names].map((name) => {
      const own = Object.fromEntries(known.map((rest) => [`${prefix}_${name}_${rest}`, definitions[rest]]));
      const values = readAll(own as Variables, environment, faults) as Readonly<Record<string, unknown>>;
      const short = known.map((rest) => [rest, values[`${prefix}_${name}_${rest}`]]);
      return [name.toLowerCase(), Object.freeze(Object.fromEntries(short)) as ValuesOf<V>];
    }),
  );
}

/** The value of each variable; what is wrong with one goes to the faults. */
const readAll = <V extends Variables>(definitions: V, environment: Environment, faults: string[]): ValuesOf<V> =>
  Object.freeze(
    Object.fromEntries(
      Object.entries(definitions).map(([name, definition]) => [
        name,
        readVariable(name, definition, environment, faults),
      ]),
    ),
  ) as ValuesOf<V>;

function readVariable(
  name: string,
  definition: Variable<unknown>,
  environment: Environment,
  faults: string[],
): unknown {
  const text = environment[name] ?? '';
  if (text === '') {
    const missing = definition.requiredInProduction === true && environment['NODE_ENV'] === 'production';
    if (missing) faults.push(`${name} is not set. ${definition.description}`);
    return definition.fallback;
  }
  try {
    return definition.parse(text);
  } catch (error) {
    faults.push(`${name}: ${error instanceof Error ? error.message : 'the value is not accepted'}`);
    return definition.fallback;
  }
}

/** `HTTPS_PORT` -> `httpsPort` */
const camelCase = (name: string): string =>
  name.toLowerCase().replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());

function toConfig(values: Values, declared: Pick<Config, 'of' | 'each'>): Config {
  const dataDirectory = resolve(values.DATA_DIRECTORY ?? '.data');
  const production = values.NODE_ENV === 'production';
  const publicUrl = values.PUBLIC_URL ?? `https://localhost:${values.HTTPS_PORT || 8443}`;
  const named = Object.fromEntries(Object.entries(values).map(([name, value]) => [camelCase(name), value]));
  return {
    ...(named as unknown as Omit<Config, 'of' | 'each'>),
    ...declared,
    production,
    publicUrl,
    dataDirectory,
    apiDocs: values.API_DOCS ?? !production,
    keyRingFile: resolve(values.KEY_RING_FILE ?? `${dataDirectory}/keys.json`),
    tombstoneFile: resolve(values.TOMBSTONE_FILE ?? `${dataDirectory}/tombstones.txt`),
    mailFrom: values.MAIL_FROM ?? `no-reply@${new URL(publicUrl).hostname}`,
    databaseFiles: filesOf(values.DATABASE_CA_FILE, values.DATABASE_CERT_FILE, values.DATABASE_KEY_FILE),
    redisFiles: filesOf(values.REDIS_CA_FILE, values.REDIS_CERT_FILE, values.REDIS_KEY_FILE),
    smtpFiles: filesOf(values.SMTP_CA_FILE),
  };
}

const filesOf = (caFile?: string, certFile?: string, keyFile?: string): LinkFiles =>
  Object.freeze({ caFile, certFile, keyFile });

/** Faults that only two variables together can have. */
function contradictions(config: Config): string[] {
  const faults: string[] = [];
  if ((config.tlsCertificateFile === undefined) !== (config.tlsKeyFile === undefined)) {
    faults.push('TLS_CERTIFICATE_FILE and TLS_KEY_FILE go together: set both or neither');
  }
  const ports = [config.httpsPort, config.httpPort, config.internalPort].filter((port) => port !== 0);
  if (!isPlainAddress(config.mailFrom))
    faults.push('MAIL_FROM: set an e-mail address: the host of PUBLIC_URL makes none');
  if (new Set(ports).size !== ports.length)
    faults.push('HTTPS_PORT, HTTP_PORT and INTERNAL_PORT: set three different ports');
  return [...faults, ...linkFaults(config)];
}
