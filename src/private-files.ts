import { statSync } from 'node:fs';
import { ConfigurationError, type Config } from './config/index.js';
import { isOpenToOthers } from './security/data-protection/index.js';

const groupOrOthers = 0o077;

/**
 * In production no secret lies open to other users of the machine (ASVS v5.0.0-13.3.2).
 * @throws ConfigurationError that names each variable. A file that is missing is for its reader to tell.
 */
export function assertPrivateFiles(config: Config): void {
  const { dataDirectory, tlsKeyFile, databaseFiles, redisFiles, vaultTransit } = config;
  const files: readonly (readonly [string, string | undefined])[] = [
    ['TLS_KEY_FILE', tlsKeyFile],
    ['DATABASE_KEY_FILE', databaseFiles.keyFile],
    ['REDIS_KEY_FILE', redisFiles.keyFile],
    ['VAULT_TOKEN_FILE', vaultTransit?.tokenFile],
  ];
  const faults = files.filter(([, file]) => isOpen(file)).map(([name]) => `${name}: group or others may read the file: chmod 600 it (or root:group 0440), and replace it if others had access`);
  const directory = statSync(dataDirectory, { throwIfNoEntry: false });
  if (directory !== undefined && process.platform !== 'win32' && (directory.mode & groupOrOthers) !== 0) {
    faults.push('DATA_DIRECTORY: group or others may look into it: chmod 700 it, or set a directory below it, which is made so');
  }
  if (faults.length > 0) throw new ConfigurationError(faults);
}

function isOpen(file: string | undefined): boolean {
  const stats = file === undefined ? undefined : statSync(file, { throwIfNoEntry: false });
  return stats !== undefined && isOpenToOthers(stats);
}
