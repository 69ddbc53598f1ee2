import 'reflect-metadata';
import { X509Certificate } from 'node:crypto';
import * as x509 from '@peculiar/x509';

/** A certificate that somebody showed; nothing is said about whether it counts. */
export class ClientCertificate {
  /** SHA-256 of the DER, 64 hex digits. */
  readonly fingerprint: string;
  /** `uri:spiffe://example.org/lab`, `dns:gateway.internal`, `sha256:...`: all by which the mapping can know it. */
  readonly names: readonly string[];
  readonly serial: string;
  /** Milliseconds. */
  readonly validFrom: number;
  readonly validTo: number;

  constructor(readonly decoded: X509Certificate) {
    this.fingerprint = decoded.fingerprint256.replaceAll(':', '').toLowerCase();
    this.names = [`sha256:${this.fingerprint}`, ...alternativeNames(decoded.raw)];
    this.serial = canonicalSerial(decoded.serialNumber);
    this.validFrom = decoded.validFromDate.getTime();
    this.validTo = decoded.validToDate.getTime();
  }
}

/** Two programs write one number with other zeros and letters. */
export const canonicalSerial = (hex: string): string => hex.toLowerCase().replace(/^0+(?=.)/, '');

/**
 * As the structure of the certificate has them: the text that Node prints would have to be taken apart, and a name that
 * holds a comma would forge a second one (CVE-2021-44532).
 */
function alternativeNames(der: Buffer): string[] {
  return itemsOf(der).flatMap(({ type, value }) => {
    if (type === 'url') return [`uri:${value}`];
    return type === 'dns' ? [`dns:${value.toLowerCase()}`] : [];
  });
}

function itemsOf(der: Buffer): readonly x509.GeneralName[] {
  try {
    return new x509.X509Certificate(der).getExtension(x509.SubjectAlternativeNameExtension)?.names.items ?? [];
  } catch {
    // Whoever cannot be read has no name, and is then unknown.
    return [];
  }
}

/** A byte sequence of RFC 8941 s3.3.5, and nothing beside it. */
const byteSequence = /^:([A-Za-z0-9+/]+={0,2}):$/;

/**
 * What a gateway says in `Client-Cert` (RFC 9440 s2.1); undefined for anything but one certificate in the one spelling
 * that it has, so that nothing beside it can mean something to somebody else.
 */
export function readClientCert(field: string): ClientCertificate | undefined {
  const [, text] = byteSequence.exec(field) ?? [];
  if (text === undefined) return undefined;
  const der = Buffer.from(text, 'base64');
  if (der.toString('base64') !== text) return undefined;
  try {
    const certificate = new X509Certificate(der);
    return certificate.raw.equals(der) ? new ClientCertificate(certificate) : undefined;
  } catch {
    return undefined;
  }
}
