import { sep } from 'node:path';
import { ConfigurationError, type Config } from './config/index.js';

/**
 * What the owner reads when the service does not start: one line, the cause and the fix. Stacks and values stay out:
 * they help nobody at that moment, and a value may be a secret.
 */
export function bootFailure(error: unknown, config?: Config): string {
  for (let link: unknown = error; link instanceof Error; link = link.cause) {
    const line = knownFailure(link, config);
    if (line !== undefined) return line;
  }
  return error instanceof Error ? [error.message, causeOf(error)].filter(Boolean).join(': ') : 'an unknown error';
}

function knownFailure(error: NodeJS.ErrnoException, config: Config | undefined): string | undefined {
  if (error instanceof ConfigurationError) return error.message;
  // It has the fix already; what the file system said is its cause.
  if (error.name === 'KeyRingError') return `KEY_RING_FILE: ${error.message}`;
  const path = error.path ?? config?.dataDirectory;
  switch (error.code) {
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return (
        `${variableOf(path, config)}: ${path} cannot be read or written (${error.code}): ` +
        'let the user of the service own it, or set another one'
      );
    case 'ENOSPC':
    case 'EDQUOT':
      return (
        `${variableOf(path, config)}: the disk of ${path} is full (${error.code}): free some space, ` +
        'or set another one'
      );
    default:
      return databaseFailure(error.code);
  }
}

/** Whose value the path is, or is below. */
function variableOf(path: string | undefined, config: Config | undefined): string {
  const places = {
    TOMBSTONE_FILE: config?.tombstoneFile,
    KEY_RING_FILE: config?.keyRingFile,
    DATA_DIRECTORY: config?.dataDirectory,
  };
  const [variable = 'the file system'] =
    Object.entries(places).find(([, place]) => place === path || path?.startsWith(`${place}${sep}`)) ?? [];
  return variable;
}

const networkCodes = [
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
];
/** Wrong password, no such role or database, starting up, too many connections. */
const serverCodes = ['28P01', '28000', '3D000', '57P03', '53300'];

function databaseFailure(code = ''): string | undefined {
  if (code === '42501') {
    return (
      'the database role may not do that (42501): changes of tables need DATABASE_OWNER_URL, ' +
      'the service needs db:roles'
    );
  }
  const closed = [...networkCodes, ...serverCodes].includes(code);
  return closed
    ? `the database does not let us in (${code}): check that it runs, DATABASE_URL and DATABASE_CERT_FILE`
    : undefined;
}

const causeOf = (error: Error): string => (error.cause instanceof Error ? error.cause.message : '');
