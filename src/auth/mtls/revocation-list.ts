import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import type { X509Certificate } from 'node:crypto';
import { canonicalSerial } from './client-certificate.js';

/** What one CA has taken back. */
export interface RevocationList {
  readonly serials: ReadonlySet<string>;
  /** Milliseconds. */
  readonly thisUpdate: number;
  /** When the next one is due; from then on this one says nothing. */
  readonly nextUpdate: number;
}

/** Key identifier, number, and a pointer to deltas, which only makes a list fresher: what can be read without harm. */
const understood = new Set(['2.5.29.35', '2.5.29.20', '2.5.29.46']);

/**
 * The lists of a PEM file, by their CAs.
 * @throws Error that says what is wrong: a list of somebody else or of a part of the certificates says nothing, and
 * would be taken for "nothing is revoked" (RFC 5280 s5.2, s6.3).
 */
export async function readRevocationLists(
  pem: string,
  authorities: readonly X509Certificate[],
): Promise<ReadonlyMap<X509Certificate, RevocationList>> {
  const lists = new Map<X509Certificate, RevocationList>();
  for (const crl of parse(pem)) {
    const authority = await signerOf(crl, authorities);
    if (authority === undefined) throw new Error('a list is signed by no CA of MTLS_CA_FILE: set those of its CAs');
    if (lists.has(authority)) throw new Error('there are two lists of one CA: set the newer one');
    lists.set(authority, toList(crl));
  }
  if (lists.size < authorities.length) throw new Error('a CA of MTLS_CA_FILE has no list: set one of each');
  return lists;
}

function parse(pem: string): x509.X509Crl[] {
  try {
    return x509.PemConverter.decode(pem).map((der) => new x509.X509Crl(der));
  } catch (error) {
    throw new Error('the file is no list of PEM form: set one', { cause: error });
  }
}

async function signerOf(
  crl: x509.X509Crl,
  authorities: readonly X509Certificate[],
): Promise<X509Certificate | undefined> {
  for (const authority of authorities) {
    const signer = new x509.X509Certificate(authority.raw);
    const usages = signer.getExtension(x509.KeyUsagesExtension)?.usages ?? x509.KeyUsageFlags.cRLSign;
    const maySign = (usages & x509.KeyUsageFlags.cRLSign) !== 0 && signer.subject === crl.issuer;
    if (maySign && (await crl.verify({ publicKey: signer }))) return authority;
  }
  return undefined;
}

function toList(crl: x509.X509Crl): RevocationList {
  const { thisUpdate, nextUpdate, entries, extensions } = crl;
  if (extensions.some(({ type, critical }) => critical && !understood.has(type)))
    throw new Error('a list is a delta, or about a part of the certificates: set the complete one');
  if (nextUpdate === undefined) throw new Error('a list does not say when the next is due: set one that does');
  return {
    serials: new Set(entries.map(({ serialNumber }) => canonicalSerial(serialNumber))),
    thisUpdate: thisUpdate.getTime(),
    nextUpdate: nextUpdate.getTime(),
  };
}
