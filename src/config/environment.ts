import { existsSync, readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { readConfig, type Config } from './config.js';

/**
 * The configuration of this process: `.env` in the working directory, if there is one, under the real environment.
 * The only place that reads `process.env`.
 * @throws ConfigurationError
 */
export function configFromEnvironment(): Config {
  const file = existsSync('.env') ? parseEnv(readFileSync('.env', 'utf8')) : {};
  return readConfig({ ...file, ...process.env });
}
