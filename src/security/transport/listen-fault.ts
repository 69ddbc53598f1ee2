import { ConfigurationError } from '../../config/index.js';

interface Variables {
  readonly host: 'HOST' | 'INTERNAL_HOST';
  readonly port: 'HTTPS_PORT' | 'HTTP_PORT' | 'INTERNAL_PORT';
}

/** Why a listener does not start, with the variable and the fix; every other error as it is. */
export function listenFault(error: unknown, { host, port }: Variables): unknown {
  const { code, port: taken } = error as NodeJS.ErrnoException & { port?: number };
  const own = host === 'HOST' ? '0.0.0.0' : '127.0.0.1';
  switch (code) {
    case 'EADDRINUSE':
      return new ConfigurationError([`port ${taken} is taken: stop the process that has it, or set ${port}`]);
    case 'EACCES':
      return new ConfigurationError([`${port}: this user may not listen on port ${taken}: set one from 1024 on, or give it the right to`]);
    case 'EADDRNOTAVAIL':
    case 'EAFNOSUPPORT':
    case 'EAI_AGAIN':
    case 'EINVAL':
    case 'ENOTFOUND':
      return new ConfigurationError([`${host}: this machine has no such address (${code}): set one that it has, such as ${own}`]);
    default:
      return error;
  }
}
