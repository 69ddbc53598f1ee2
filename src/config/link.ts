import { isLoopback } from '../common/http/network.js';

/**
 * A link to another server, as its URL asks for it. Drivers get these parts and never the URL: what they make of one
 * changes.
 */
export interface Link {
  /** A name, an address, or the directory of a unix socket. */
  readonly host: string;
  readonly port: number;
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly database: string | undefined;
  /** TLS means that chain and host name are checked: there is no encryption with whoever answers. */
  readonly tls: boolean;
}

/** PEM files: the CA to trust instead of the public ones, and the client certificate. */
export interface LinkFiles {
  readonly caFile: string | undefined;
  readonly certFile: string | undefined;
  readonly keyFile: string | undefined;
}

/** @throws Error with the fix, for anything that only some tools would read in the same way. */
export function databaseLink(text: string): Link {
  const url = new URL(text);
  const names = [...url.searchParams.keys()];
  if (new Set(names).size !== names.length || names.some((name) => name !== 'sslmode' && name !== 'host')) {
    throw new Error(
      'set a URL with no parameter but sslmode (host for a unix socket): certificates are variables of their own',
    );
  }
  const mode = url.searchParams.get('sslmode') ?? 'disable';
  // `require` checks nothing, `prefer` falls back to clear text: whoever stands in between has the data (ASVS
  // v5.0.0-12.3.1).
  if (mode !== 'verify-full' && mode !== 'disable') {
    throw new Error('set sslmode=verify-full, or disable: the modes between protect from nobody');
  }
  const socket = url.searchParams.get('host');
  // A second host name would decide where the link goes, and the first one whether it may go in clear.
  if (socket !== null && !socket.startsWith('/')) {
    throw new Error('set the host before the path; the parameter is for the directory of a unix socket');
  }
  return { ...parts(url, 5432), ...(socket === null ? {} : { host: socket }), tls: mode === 'verify-full' };
}

/** The link to a mail server: with `tls`, from the first byte or by STARTTLS. */
export interface SmtpLink extends Link {
  readonly fromFirstByte: boolean;
}

/** @throws Error with the fix. */
export function smtpLink(text: string): SmtpLink {
  const url = new URL(text);
  const fromFirstByte = url.protocol === 'smtps:';
  const clear = url.search === '?starttls=never';
  if ((url.search !== '' && (!clear || fromFirstByte)) || !/^\/?$/.test(url.pathname)) {
    throw new Error('set a URL without path and parameters (starttls=never for a server on this machine)');
  }
  const link = { ...parts(url, fromFirstByte ? 465 : 587), fromFirstByte, tls: !clear };
  // There are one-time tokens in mails: in clear they open accounts.
  if (clear && !isLoopback(link.host))
    throw new Error('set no starttls=never: only a server on this machine gets mails in clear');
  return link;
}

/** @throws Error with the fix. */
export function redisLink(text: string): Link {
  const url = new URL(text);
  // The driver would take every parameter as an option, the ones of TLS included.
  if (url.search !== '') throw new Error('set a URL without parameters');
  const link = parts(url, 6379);
  if (!/^\d{0,3}$/.test(link.database ?? '')) throw new Error('set the number of the database as path, or none');
  return { ...link, tls: url.protocol === 'rediss:' };
}

function parts(url: URL, defaultPort: number): Omit<Link, 'tls'> {
  try {
    const texts = [url.username, url.password, url.pathname.slice(1)];
    const [user, password, database] = texts.map((text) => decodeURIComponent(text) || undefined);
    const host = decodeURIComponent(url.hostname).replace(/^\[(.+)\]$/, '$1') || 'localhost';
    return { host, port: Number(url.port || defaultPort), user, password, database };
  } catch {
    throw new Error('set a URL whose special characters are percent-encoded');
  }
}
