import { linkVariables } from './link.variables.js';
import {
  addressOrRange,
  flag,
  host,
  httpsOrigin,
  internalHost,
  listOf,
  oneOf,
  path,
  whole,
  type Variable,
} from './variable.js';

/** What production takes only when the owner names it. */
const exceptions = ['embedded-database', 'no-mail-server'] as const;

/**
 * Every variable that the service reads, in the order of .env.example. Nothing else reads the environment
 * (dependency-cruiser and the linter hold that), so this table is the whole configuration surface.
 */
export const variables = {
  NODE_ENV: {
    group: 'General',
    description: 'development makes keys, certificates and a mailbox; production takes nothing for granted.',
    example: 'development',
    fallback: 'development' as const,
    parse: oneOf('development', 'production'),
  },
  ALLOW_IN_PRODUCTION: {
    group: 'General',
    description:
      'embedded-database (one instance on one disk), no-mail-server (mails stay in the outbox directory): ' +
      'what production refuses unless it is named here.',
    example: 'embedded-database',
    fallback: [] as readonly (typeof exceptions)[number][],
    parse: listOf(oneOf(...exceptions)),
  },
  PUBLIC_URL: {
    group: 'General',
    description:
      'The origin under which clients reach the API. Links in mails, token issuer and audience begin with it. ' +
      'Not set: https://localhost with HTTPS_PORT.',
    example: 'https://localhost:8443',
    requiredInProduction: true,
    parse: httpsOrigin,
  },
  DATA_DIRECTORY: {
    group: 'General',
    description: 'Where the embedded database, the key ring, the development certificates and the outbox live.',
    example: '.data',
    fallback: '.data',
    parse: path,
  },
  LOG_LEVEL: {
    group: 'General',
    description: 'The least important log lines that are written.',
    example: 'info',
    fallback: 'info' as const,
    parse: oneOf('debug', 'info', 'warn', 'error'),
  },
  API_DOCS: {
    group: 'General',
    description: 'Serves /docs and /openapi.json. Not set: on in development, off in production.',
    example: 'false',
    parse: flag,
  },

  HOST: {
    group: 'Transport (practice 1)',
    description: 'The address that the HTTPS and the redirect listener bind to.',
    example: '127.0.0.1',
    requiredInProduction: true,
    fallback: '127.0.0.1',
    parse: host,
  },
  HTTPS_PORT: {
    group: 'Transport (practice 1)',
    description: 'The port of the API.',
    example: '8443',
    fallback: 8443,
    parse: whole(0, 65535),
  },
  HTTP_PORT: {
    group: 'Transport (practice 1)',
    description: 'The plain-HTTP port that redirects browsers and refuses everything else.',
    example: '8080',
    fallback: 8080,
    parse: whole(0, 65535),
  },
  INTERNAL_HOST: {
    group: 'Transport (practice 1)',
    description:
      'The address of the internal listener (health, mailbox). A loopback or private address, never all of them.',
    example: '127.0.0.1',
    fallback: '127.0.0.1',
    parse: internalHost,
  },
  INTERNAL_PORT: {
    group: 'Transport (practice 1)',
    description: 'The port of the internal listener.',
    example: '9090',
    fallback: 9090,
    parse: whole(0, 65535),
  },
  TLS_CERTIFICATE_FILE: {
    group: 'Transport (practice 1)',
    description: 'PEM file with the certificate chain. Not set: a development certificate under DATA_DIRECTORY/tls.',
    example: '/etc/tls/tls.crt',
    requiredInProduction: true,
    parse: path,
  },
  TLS_KEY_FILE: {
    group: 'Transport (practice 1)',
    description: 'PEM file with the private key of the certificate.',
    example: '/etc/tls/tls.key',
    requiredInProduction: true,
    parse: path,
  },
  TRUSTED_PROXIES: {
    group: 'Transport (practice 1)',
    description: 'Addresses or CIDR ranges of the proxies whose X-Forwarded-For counts. Empty: nobody is believed.',
    example: '10.0.0.0/8',
    fallback: [] as readonly string[],
    parse: listOf(addressOrRange),
  },
  SHUTDOWN_TIMEOUT_SECONDS: {
    group: 'Transport (practice 1)',
    description: 'How long SIGTERM waits for requests in flight.',
    example: '20',
    fallback: 20,
    parse: whole(1, 600),
  },

  CORS_ORIGINS: {
    group: 'CORS (practice 8)',
    description: 'The exact origins whose browser code may call the API, separated by commas. Empty: none.',
    example: 'https://app.example.org',
    fallback: [] as readonly string[],
    parse: listOf(httpsOrigin),
  },

  ...linkVariables,

  KEY_RING_FILE: {
    group: 'Data protection (practice 7)',
    description:
      'The key ring, a file that only the owner can read; npm run cli -- keys:init makes the first. Not set: ' +
      'made at first start under DATA_DIRECTORY.',
    example: '/run/secrets/keys.json',
    requiredInProduction: true,
    parse: path,
  },
  TOMBSTONE_FILE: {
    group: 'Data protection (practice 7)',
    description:
      'Who was erased, by id: durable storage apart from the database, one file for all instances. Not set: ' +
      'under DATA_DIRECTORY.',
    example: '/mnt/tombstones/tombstones.txt',
    requiredInProduction: true,
    parse: path,
  },
  ARGON2_MEMORY_KIB: {
    group: 'Data protection (practice 7)',
    description: 'argon2id memory in KiB. The least is what OWASP demands, 19 MiB.',
    example: '65536',
    fallback: 65536,
    parse: whole(19456, 4194304),
  },
  ARGON2_PASSES: {
    group: 'Data protection (practice 7)',
    description: 'argon2id passes over the memory; at least 2 (OWASP), 3 by default.',
    example: '3',
    fallback: 3,
    parse: whole(2, 100),
  },

  SECOND_FACTOR: {
    group: 'Authentication (practice 2)',
    description:
      'required: whoever has no second factor enrols one right after the password, before anything else opens. ' +
      'optional: people choose.',
    example: 'required',
    fallback: 'optional' as const,
    parse: oneOf('optional', 'required'),
  },
  REFRESH_REUSE_GRACE_SECONDS: {
    group: 'Authentication (practice 2)',
    description:
      'How long a used refresh token still gets its successor: two tabs, a lost answer. 0 is the strict mode: ' +
      'a second use always ends the session.',
    example: '0',
    fallback: 10,
    parse: whole(0, 60),
  },

  RATE_LIMIT_SCALE: {
    group: 'Rate limiting (practice 4)',
    description:
      'Multiplies the limits of load (per network, and requests per user) ' +
      'and the quota of resources by this whole number: for load tests, ' +
      'and for owners with many clients per address; up to 100 in production. ' +
      'Never the limits of guesses and mails per account.',
    example: '1',
    fallback: 1,
    parse: whole(1, 100000),
  },
} satisfies Record<string, Variable<unknown>>;

export type VariableName = keyof typeof variables;
