import { isAbsolute, relative } from 'node:path';
import type { Config } from './config.types.js';
import { faultsAmong } from './settings.js';

/** Above it, nothing is limited any more: load tests are no production (ASVS v5.0.0-6.3.1). */
const maxRateLimitScale = 100;

/** Variables of the runtime that turn checks off, or write tokens and SQL to the log (ASVS v5.0.0-12.3.2, 13.4.2). */
const debugVariables = ['NODE_TLS_REJECT_UNAUTHORIZED', 'NODE_DEBUG', 'NODE_DEBUG_NATIVE', 'DEBUG', 'SSLKEYLOGFILE'];

/** Settings that are right for one developer, and wrong where strangers come: each with its variable and the fix. */
export function productionFaults(config: Config, environment: Readonly<Record<string, string | undefined>>): string[] {
  const accepted = (exception: Config['allowInProduction'][number]) => config.allowInProduction.includes(exception);
  const below = relative(config.dataDirectory, config.tombstoneFile);
  return faultsAmong([
    [
      config.databaseUrl === undefined && !accepted('embedded-database'),
      'DATABASE_URL is not set, and the embedded database is for one instance on one disk: set it, ' +
        'or ALLOW_IN_PRODUCTION=embedded-database',
    ],
    [
      config.smtpUrl === undefined && !accepted('no-mail-server'),
      'SMTP_URL is not set, so no mail would leave and nobody could sign up: set it, ' +
        'or ALLOW_IN_PRODUCTION=no-mail-server',
    ],
    [
      config.rateLimitScale > maxRateLimitScale,
      `RATE_LIMIT_SCALE: set a whole number up to ${maxRateLimitScale} in production`,
    ],
    [
      !below.startsWith('..') && !isAbsolute(below),
      'TOMBSTONE_FILE is inside DATA_DIRECTORY, and a backup of one would bring the other back as well: ' +
        'set a file on other storage',
    ],
    ...debugVariables.map(
      (name) => [(environment[name] ?? '') !== '', `${name} is set, which is for debugging: unset it`] as const,
    ),
  ]);
}
