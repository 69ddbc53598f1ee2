import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { ConfigurationError } from './config.js';
import type { Link, LinkFiles } from './link.js';

/** Options of `tls.connect`: chain and host name are always checked (ASVS v5.0.0-12.3.2). */
export interface LinkTls {
  readonly rejectUnauthorized: true;
  readonly minVersion: 'TLSv1.2';
  /** SNI; not for addresses (RFC 6066 section 3), which are checked against the certificate all the same. */
  readonly servername?: string;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/**
 * Reads the certificate files of a link; undefined for one without TLS. With a CA file no public CA is trusted besides.
 * @throws ConfigurationError when a file cannot be read, is no PEM, or certificate and key do not fit.
 */
export function linkTls(kind: 'DATABASE' | 'REDIS' | 'SMTP', link: Link, files: LinkFiles): LinkTls | undefined {
  if (!link.tls) return undefined;
  const ca = read(`${kind}_CA_FILE`, files.caFile);
  const cert = read(`${kind}_CERT_FILE`, files.certFile);
  const key = read(`${kind}_KEY_FILE`, files.keyFile);
  check(
    `${kind}_CA_FILE: set a PEM file of CA certificates`,
    () => ca === undefined || new X509Certificate(ca).raw.length > 0,
  );
  check(
    `${kind}_CERT_FILE and ${kind}_KEY_FILE: set a PEM certificate chain and its own key`,
    () => cert === undefined || (key !== undefined && new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))),
  );
  const material = Object.fromEntries(Object.entries({ ca, cert, key }).filter(([, pem]) => pem !== undefined));
  const name = isIP(link.host) === 0 ? { servername: link.host } : {};
  return { rejectUnauthorized: true, minVersion: 'TLSv1.2', ...name, ...material };
}

/** A failed handshake as a line for the owner; undefined for every other error. */
export function handshakeFault(kind: 'DATABASE' | 'REDIS', error: unknown): ConfigurationError | undefined {
  const { code = '', message } = error as NodeJS.ErrnoException;
  // TLS errors are the ones with words in their code; those of the network and of PostgreSQL have none, but EAI_AGAIN.
  const handshake = code === 'EPROTO' || /^(?!EAI_)[A-Z]+_/.test(code) || / SSL connection/.test(message);
  if (!handshake) return undefined;
  const reason = code === '' ? 'the server speaks no TLS' : code;
  const what = `its certificate, the host name, ${kind}_CA_FILE and ${kind}_CERT_FILE`;
  return new ConfigurationError([`${kind}_URL: no TLS with that server (${reason}): check ${what}`]);
}

function read(variable: string, file: string | undefined): string | undefined {
  if (file === undefined) return undefined;
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new ConfigurationError([`${variable}: the file cannot be read (${code}); check its path and its owner`]);
  }
}

function check(fault: string, isGood: () => boolean): void {
  let good = false;
  try {
    good = isGood();
  } catch {
    good = false;
  }
  if (!good) throw new ConfigurationError([fault]);
}
