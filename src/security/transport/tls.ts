import { createPrivateKey, X509Certificate } from 'node:crypto';
import { constants as crypto } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { ConfigurationError, type Config } from '../../config/index.js';
import { clientAuthorityFiles } from './client-authorities.js';
import { developmentCertificates } from './development-certificates.js';

/** A certificate chain and its key, PEM, and where they came from. */
export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
  readonly certificateFile: string;
  readonly keyFile: string;
  /** The development CA, for `curl --cacert`; undefined with certificates of the owner. */
  readonly caFile?: string;
  /** PEM, of the CAs whose certificates clients may show; empty: nobody is asked for one. */
  readonly clientAuthorities: readonly string[];
  readonly clientAuthorityFiles: readonly string[];
  /** Nobody speaks without a certificate of theirs. */
  readonly demandsCertificate: boolean;
}

/**
 * Reads the configured certificate, or makes one of the development CA.
 * @throws ConfigurationError when a file cannot be read, is no PEM, or certificate and key do not belong together; in
 * production also when the certificate is expired or for another name.
 */
export async function loadTls(config: Config): Promise<TlsFiles> {
  const authorities = clientAuthorityFiles(config);
  return {
    ...(await loadOwn(config)),
    clientAuthorities: await Promise.all(authorities.map(({ variable, path }) => readPem(variable, path))),
    clientAuthorityFiles: authorities.map(({ path }) => path),
    demandsCertificate: authorities.some(({ isRequired }) => isRequired),
  };
}

type OwnFiles = Omit<TlsFiles, 'clientAuthorities' | 'clientAuthorityFiles' | 'demandsCertificate'>;

async function loadOwn(config: Config): Promise<OwnFiles> {
  const { tlsCertificateFile, tlsKeyFile } = config;
  if (tlsCertificateFile !== undefined && tlsKeyFile !== undefined) {
    const files = await readTls(tlsCertificateFile, tlsKeyFile);
    if (config.production) assertServable(files.cert, config);
    return files;
  }
  // Production never serves a certificate that no client can verify (ASVS v5.0.0-12.2.2).
  if (config.production) throw new ConfigurationError(['TLS_CERTIFICATE_FILE and TLS_KEY_FILE are not set']);
  const { certificateFile, keyFile, caFile } = await developmentCertificates(config);
  return { ...(await readTls(certificateFile, keyFile)), caFile };
}

/** Every client refuses such a certificate, and whoever is told to click it away learns to. */
function assertServable(cert: string, { publicUrl, trustedProxies }: Config): void {
  const certificate = new X509Certificate(cert);
  const [from, to] = [certificate.validFromDate.getTime(), certificate.validToDate.getTime()];
  if (Date.now() < from || Date.now() >= to) {
    throw new ConfigurationError([
      `TLS_CERTIFICATE_FILE: the certificate is ${Date.now() < from ? 'not valid yet' : 'expired'}: set a valid one`,
    ]);
  }
  const host = new URL(publicUrl).hostname.replace(/^\[|\]$/g, '');
  const named = isIP(host) === 0 ? certificate.checkHost(host, { subject: 'never' }) : certificate.checkIP(host);
  // A gateway has the public certificate, and knows the service by another name.
  if (named === undefined && trustedProxies.length === 0) {
    throw new ConfigurationError([
      'TLS_CERTIFICATE_FILE: the certificate is for another name than the host of PUBLIC_URL: set the one for it',
    ]);
  }
}

/** Reads a pair of files and checks that they fit. */
async function readTls(certificateFile: string, keyFile: string): Promise<OwnFiles> {
  const cert = await readPem('TLS_CERTIFICATE_FILE', certificateFile);
  const key = await readPem('TLS_KEY_FILE', keyFile);
  if (!fit(cert, key)) {
    throw new ConfigurationError([
      'TLS_CERTIFICATE_FILE and TLS_KEY_FILE: set a PEM certificate chain and its own key',
    ]);
  }
  return { cert, key, certificateFile, keyFile };
}

async function readPem(variable: string, file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
    throw new ConfigurationError([`${variable}: the file cannot be read (${code}); check its path and its owner`]);
  }
}

function fit(cert: string, key: string): boolean {
  try {
    return new X509Certificate(cert).checkPrivateKey(createPrivateKey(key));
  } catch {
    return false;
  }
}

// TLS 1.3, and of TLS 1.2 only suites with forward secrecy and authenticated encryption (RFC 9325; ASVS v5.0.0-12.1.2).
const ciphers = [
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'TLS_AES_128_GCM_SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
].join(':');

/**
 * What is recorded today must stay closed to tomorrow's quantum computers, so the hybrid group comes first (FIPS 203).
 */
const ecdhCurve = ['X25519MLKEM768:X25519:P-256', 'X25519:P-256'].find(isSupported);

/** Every option of the TLS context. `setSecureContext` forgets what it is not given, so both callers use this. */
export function tlsOptions({
  cert,
  key,
  clientAuthorities = [],
}: Pick<TlsFiles, 'cert' | 'key'> & Partial<TlsFiles>): SecureContextOptions {
  const asks = clientAuthorities.length > 0;
  return {
    cert,
    key,
    // Their names go to the client, so that a browser offers its person no certificate of anybody else.
    ...(asks && { ca: [...clientAuthorities] }),
    minVersion: 'TLSv1.2',
    ciphers,
    ecdhCurve,
    honorCipherOrder: true,
    // Renegotiation costs the server far more than the client (CVE-2011-1473), and nothing here needs it.
    // A resumed session brings the certificate of an earlier handshake along, unseen and unchecked: where certificates
    // count, each connection proves its own (CVE-2025-23419 was that).
    secureOptions: crypto.SSL_OP_NO_RENEGOTIATION | (asks ? crypto.SSL_OP_NO_TICKET : 0),
  };
}

function isSupported(curves: string): boolean {
  try {
    createSecureContext({ ecdhCurve: curves });
    return true;
  } catch {
    return false;
  }
}
