import { accessSync, constants, mkdirSync } from 'node:fs';
import { ConfigurationError } from './config.js';

/**
 * Makes the data directory (0700: keys and mails are in it) or checks that it can be written.
 * @throws ConfigurationError
 */
export function prepareDataDirectory(directory: string): void {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    accessSync(directory, constants.W_OK | constants.X_OK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new ConfigurationError([
      `DATA_DIRECTORY: the directory cannot be written (${code}); mend it, or set another one`,
    ]);
  }
}
