import { ConfigurationError, type Config } from './config/index.js';

/**
 * What the owner reads when the service does not start: one line, the cause and the fix. Stacks and values stay out: they
 * help nobody at that moment, and a value may be a secret.
 */
export function bootFailure(error: unknown, config?: Config): string {
  if (error instanceof ConfigurationError) return error.message;
  for (let link: unknown = error; link instanceof Error; link = link.cause) {
    const line = knownFailure(link, config);
    if (line !== undefined) return line;
  }
  return error instanceof Error ? [error.message, causeOf(error)].filter(Boolean).join(': ') : 'an unknown error';
}

function knownFailure(error: NodeJS.ErrnoException & { port?: number }, config: Config | undefined): string | undefined {
  switch (error.code) {
    case 'EADDRINUSE':
      return `port ${error.port} is taken: stop the process that has it, or set ${portVariable(error.port, config)}`;
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
    case 'ENOSPC':
      return `${error.path ?? config?.dataDirectory} cannot be written (${error.code}): mend it, or set another DATA_DIRECTORY`;
    default:
      return databaseFailure(error.code);
  }
}

function databaseFailure(code = ''): string | undefined {
  if (code === '42501') {
    return 'the database role may not do that (42501): changes of tables need DATABASE_OWNER_URL, the service needs db:roles';
  }
  const closed = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'ETIMEDOUT', '28P01', '28000', '3D000', '57P03'].includes(code);
  return closed ? `the database does not let us in (${code}): check that it runs, DATABASE_URL and DATABASE_CERT_FILE` : undefined;
}

function portVariable(port: number | undefined, config: Config | undefined): string {
  if (port === config?.httpPort) return 'HTTP_PORT';
  return port === config?.internalPort ? 'INTERNAL_PORT' : 'HTTPS_PORT';
}

const causeOf = (error: Error): string => (error.cause instanceof Error ? error.cause.message : '');
