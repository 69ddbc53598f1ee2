import { statSync } from 'node:fs';
import { isOpenToOthers } from '@nestjs-secure-template/field-encryption';
import { ConfigurationError, declaredFamilies, declaredSettings, type Config } from './config/index.js';

const groupOrOthers = 0o077;

/**
 * In production no secret lies open to other users of the machine (ASVS v5.0.0-13.3.2).
 * @throws ConfigurationError that names each variable. A file that is missing is for its reader to tell.
 */
export function assertPrivateFiles(config: Config): void {
  const { dataDirectory, tlsKeyFile, databaseFiles, redisFiles } = config;
  const files: readonly (readonly [string, string | undefined])[] = [
    ['TLS_KEY_FILE', tlsKeyFile],
    ['DATABASE_KEY_FILE', databaseFiles.keyFile],
    ['REDIS_KEY_FILE', redisFiles.keyFile],
    ...declaredSecretFiles(config),
    ...secretFilesOfFamilies(config),
  ];
  const faults = files
    .filter(([, file]) => isOpen(file))
    .map(
      ([name]) =>
        `${name}: group or others may read the file: chmod 600 it (or root:group 0440), ` +
        'and replace it if others had access',
    );
  const directory = statSync(dataDirectory, { throwIfNoEntry: false });
  if (directory !== undefined && process.platform !== 'win32' && (directory.mode & groupOrOthers) !== 0) {
    faults.push(
      'DATA_DIRECTORY: group or others may look into it: chmod 700 it, or set a directory below it, which is made so',
    );
  }
  if (faults.length > 0) throw new ConfigurationError(faults);
}

function declaredSecretFiles(config: Config): [name: string, file: string | undefined][] {
  return declaredSettings().flatMap((settings) => {
    const values: Readonly<Record<string, unknown>> = config.of(settings);
    const names = Object.keys(settings.variables).filter((name) => settings.variables[name]?.isSecretFile === true);
    return names.map((name): [string, string | undefined] => [name, values[name] as string | undefined]);
  });
}

const secretFilesOfFamilies = (config: Config): [name: string, file: string | undefined][] =>
  declaredFamilies().flatMap((family) =>
    [...config.each(family)].flatMap(([name, values]: [string, Readonly<Record<string, unknown>>]) =>
      Object.entries(family.variables)
        .filter(([, { isSecretFile }]) => isSecretFile === true)
        .map(([rest]): [string, string | undefined] => [
          `${family.prefix}_${name.toUpperCase()}_${rest}`,
          values[rest] as string | undefined,
        ]),
    ),
  );

function isOpen(file: string | undefined): boolean {
  const stats = file === undefined ? undefined : statSync(file, { throwIfNoEntry: false });
  return stats !== undefined && isOpenToOthers(stats);
}
