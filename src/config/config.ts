import { resolve } from 'node:path';
import { isPlainAddress } from '../common/mail-address.js';
import { linkFaults, links, type Links } from './links.js';
import { keyWrapping, keyWrappingFaults, type KeyWrapping } from './key-wrapping.js';
import { productionFaults } from './production.js';
import type { Variable } from './variable.js';
import { variables, type VariableName } from './variables.js';

type Definitions = typeof variables;
type Parsed<N extends VariableName> = ReturnType<Definitions[N]['parse']>;
/** A variable with a fallback always has a value; the others may be undefined. */
type Values = {
  readonly [N in VariableName]: Definitions[N] extends { fallback?: undefined } ? Parsed<N> | undefined : Parsed<N>;
};

/** The whole configuration: validated, frozen, and the only thing that the rest of the code may read. */
export interface Config extends KeyWrapping, Links {
  readonly production: boolean;
  /** An https origin without a slash at its end. */
  readonly publicUrl: string;
  /** Absolute path. */
  readonly dataDirectory: string;
  /** What production refuses unless it is named here. */
  readonly allowInProduction: readonly ('embedded-database' | 'no-mail-server')[];
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
  readonly apiDocs: boolean;
  readonly host: string;
  readonly httpsPort: number;
  readonly httpPort: number;
  readonly internalHost: string;
  readonly internalPort: number;
  readonly tlsCertificateFile: string | undefined;
  readonly tlsKeyFile: string | undefined;
  readonly trustedProxies: readonly string[];
  readonly shutdownTimeoutSeconds: number;
  readonly corsOrigins: readonly string[];
  /** Absolute path; in development it may not exist yet. */
  readonly keyRingFile: string;
  /** Absolute path. */
  readonly tombstoneFile: string;
  readonly argon2MemoryKib: number;
  readonly argon2Passes: number;
  /** A person without a second factor has to enrol one before anything else. */
  readonly secondFactorRequired: boolean;
  /** The relying party of WebAuthn: the host of `publicUrl`, or a parent domain of it. */
  readonly passkeyRpId: string;
  /** All https origins whose pages may use passkeys; `publicUrl` is the first. */
  readonly passkeyOrigins: readonly string[];
  /** 0: a refresh token that is used twice always counts as stolen. */
  readonly refreshReuseGraceSeconds: number;
  /** An https origin. */
  readonly breachedPasswordsUrl: string | undefined;
  /** `host:port`, as a URL writes them. */
  readonly egressAllowPrivateHosts: readonly string[];
  readonly egressCaFile: string | undefined;
  readonly auditRefusalsDays: number;
  readonly auditChangesDays: number;
  readonly rateLimitScale: number;
  /** Who is told of alarms: one plain e-mail address. */
  readonly alertEmail: string | undefined;
  /** One plain e-mail address. */
  readonly mailFrom: string;
}

/** Every fault of the configuration at once, so that one restart mends them all. Never holds a value. */
export class ConfigurationError extends Error {
  constructor(readonly faults: readonly string[]) {
    super(`the configuration has ${faults.length} fault${faults.length === 1 ? '' : 's'}:\n  - ${faults.join('\n  - ')}`);
  }
}

/**
 * Reads the variables into the frozen configuration.
 * @throws ConfigurationError with every fault: the variable's name and the fix.
 */
export function readConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  const faults: string[] = [];
  const values = Object.fromEntries(
    (Object.keys(variables) as VariableName[]).map((name) => [name, readVariable(name, environment, faults)]),
  ) as unknown as Values;
  const config = toConfig(values);
  if (faults.length === 0) faults.push(...contradictions(config), ...keyWrappingFaults(values));
  // With the others, so that one restart mends them all.
  if (config.production) faults.push(...productionFaults(config, environment));
  if (faults.length > 0) throw new ConfigurationError(faults);
  return Object.freeze(config);
}

function readVariable(name: VariableName, environment: Readonly<Record<string, string | undefined>>, faults: string[]): unknown {
  const definition: Variable<unknown> = variables[name];
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

function toConfig(values: Values): Config {
  const dataDirectory = resolve(values.DATA_DIRECTORY ?? '.data');
  const production = values.NODE_ENV === 'production';
  const publicUrl = values.PUBLIC_URL ?? `https://localhost:${values.HTTPS_PORT || 8443}`;
  return {
    production,
    publicUrl,
    dataDirectory,
    allowInProduction: values.ALLOW_IN_PRODUCTION,
    logLevel: values.LOG_LEVEL,
    apiDocs: values.API_DOCS ?? !production,
    ...listening(values),
    ...links(values),
    keyRingFile: resolve(values.KEY_RING_FILE ?? `${dataDirectory}/keys.json`),
    ...keyWrapping(values),
    tombstoneFile: resolve(values.TOMBSTONE_FILE ?? `${dataDirectory}/tombstones.txt`),
    ...passwords(values),
    secondFactorRequired: values.SECOND_FACTOR === 'required',
    passkeyRpId: values.PASSKEY_RP_ID ?? new URL(publicUrl).hostname,
    passkeyOrigins: [publicUrl, ...values.PASSKEY_ORIGINS],
    refreshReuseGraceSeconds: values.REFRESH_REUSE_GRACE_SECONDS,
    egressAllowPrivateHosts: values.EGRESS_ALLOW_PRIVATE_HOSTS,
    egressCaFile: values.EGRESS_CA_FILE,
    ...retention(values),
    rateLimitScale: values.RATE_LIMIT_SCALE,
    alertEmail: values.ALERT_EMAIL,
    mailFrom: values.MAIL_FROM ?? `no-reply@${new URL(publicUrl).hostname}`,
  };
}

const passwords = (values: Values) => ({
  argon2MemoryKib: values.ARGON2_MEMORY_KIB,
  argon2Passes: values.ARGON2_PASSES,
  breachedPasswordsUrl: values.BREACHED_PASSWORDS_URL,
});

const retention = (values: Values) => ({ auditRefusalsDays: values.AUDIT_REFUSALS_DAYS, auditChangesDays: values.AUDIT_CHANGES_DAYS });

const listening = (values: Values) => ({
  host: values.HOST,
  httpsPort: values.HTTPS_PORT,
  httpPort: values.HTTP_PORT,
  internalHost: values.INTERNAL_HOST,
  internalPort: values.INTERNAL_PORT,
  tlsCertificateFile: values.TLS_CERTIFICATE_FILE,
  tlsKeyFile: values.TLS_KEY_FILE,
  trustedProxies: values.TRUSTED_PROXIES,
  shutdownTimeoutSeconds: values.SHUTDOWN_TIMEOUT_SECONDS,
  corsOrigins: values.CORS_ORIGINS,
});

/** Faults that only two variables together can have. */
function contradictions(config: Config): string[] {
  const faults: string[] = [];
  if ((config.tlsCertificateFile === undefined) !== (config.tlsKeyFile === undefined)) {
    faults.push('TLS_CERTIFICATE_FILE and TLS_KEY_FILE go together: set both or neither');
  }
  const ports = [config.httpsPort, config.httpPort, config.internalPort].filter((port) => port !== 0);
  if (!isPlainAddress(config.mailFrom)) faults.push('MAIL_FROM: set an e-mail address: the host of PUBLIC_URL makes none');
  if (new Set(ports).size !== ports.length) faults.push('HTTPS_PORT, HTTP_PORT and INTERNAL_PORT: set three different ports');
  return [...faults, ...passkeyFaults(config), ...linkFaults(config, config.production)];
}

/** A browser refuses what these two name: better now than at the first registration. */
function passkeyFaults({ passkeyRpId, passkeyOrigins, publicUrl, corsOrigins }: Config): string[] {
  const faults: string[] = [];
  const { hostname } = new URL(publicUrl);
  const isParent = hostname.endsWith(`.${passkeyRpId}`) && passkeyRpId.includes('.');
  if (hostname !== passkeyRpId && !isParent) {
    faults.push('PASSKEY_RP_ID: set the host of PUBLIC_URL, or a domain above it that has a dot (WebAuthn Level 3 s5.1.2)');
  }
  if (passkeyOrigins.some((origin) => origin !== publicUrl && !corsOrigins.includes(origin))) {
    faults.push('PASSKEY_ORIGINS: add each of them to CORS_ORIGINS too: a page that may not call the API cannot use a passkey');
  }
  return faults;
}
