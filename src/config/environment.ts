import { existsSync, readFileSync } from 'node:fs';
import inspector from 'node:inspector';
import { parseEnv } from 'node:util';
import { ConfigurationError, readConfig } from './config.js';
import type { Config } from './config.types.js';
import type { VariableName } from './variables.js';

/**
 * The configuration of this process: `.env` in the working directory, if there is one, under the real environment.
 * The only place that reads `process.env`.
 * @param only the variables that are looked at, for a command that comes before the others can be set. Left out: all.
 * @throws ConfigurationError
 */
export function configFromEnvironment(only?: readonly VariableName[]): Config {
  const file = existsSync('.env') ? parseEnv(readFileSync('.env', 'utf8')) : {};
  const environment: Readonly<Record<string, string | undefined>> = { ...file, ...process.env };
  const config = readConfig(
    only === undefined ? environment : Object.fromEntries(only.map((name) => [name, environment[name]])),
  );
  // Whoever reaches the debugger runs code in the service (ASVS v5.0.0-13.4.2).
  if (config.production && inspector.url() !== undefined) {
    throw new ConfigurationError(['--inspect: the debugger is open: start without it, in NODE_OPTIONS too']);
  }
  return config;
}
