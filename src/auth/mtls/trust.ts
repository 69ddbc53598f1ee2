import { X509Certificate, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { CredentialRefused } from '../../common/access/credential-refused.js';
import { ConfigurationError, type Config } from '../../config/index.js';
import type { ClientCertificate } from './client-certificate.js';
import { parseMachinesFile, type MachinesFile, type MappedMachine } from './machines-file.js';
import { mtlsSettings } from './mtls.settings.js';
import { readRevocationLists, type RevocationList } from './revocation-list.js';

/** RFC 5280 s4.2.1.12: the certificate is for clients of TLS. */
const clientAuth = '1.3.6.1.5.5.7.3.2';
/** More is a bundle of public CAs, each of which could make any machine. */
const maxAuthorities = 20;

type Lists = ReadonlyMap<X509Certificate, RevocationList>;

/** Which certificates count, and for whom, as the three files say it. */
export class Trust {
  /** To look for the signature once per certificate is enough: neither it nor the CAs change. */
  private readonly issuers = new WeakMap<ClientCertificate, X509Certificate | 'none'>();

  constructor(
    private readonly authorities: readonly X509Certificate[],
    /** Undefined: revocation is not configured. */
    private readonly lists: Lists | undefined,
    private readonly file: MachinesFile,
  ) {}

  /**
   * Undefined when nothing is configured.
   * @throws ConfigurationError with the variable and the fix.
   */
  static async load(config: Config): Promise<Trust | undefined> {
    const { MTLS_CA_FILE, MTLS_CRL_FILE, MTLS_MACHINES_FILE } = config.of(mtlsSettings);
    if (MTLS_CA_FILE === undefined || MTLS_MACHINES_FILE === undefined) return undefined;
    const authorities = await read('MTLS_CA_FILE', MTLS_CA_FILE, readAuthorities);
    const lists =
      MTLS_CRL_FILE === undefined
        ? undefined
        : await read('MTLS_CRL_FILE', MTLS_CRL_FILE, (pem) => readRevocationLists(pem, authorities));
    return new Trust(authorities, lists, await read('MTLS_MACHINES_FILE', MTLS_MACHINES_FILE, parseMachinesFile));
  }

  get machines(): readonly MappedMachine[] {
    return [...this.file.values()].filter((entry) => entry !== 'gateway');
  }

  /** @throws CredentialRefused for a certificate that does not count at this moment, whoever showed it and when. */
  assertGood(certificate: ClientCertificate, now: Date): void {
    const at = now.getTime();
    if (at < certificate.validFrom) throw new CredentialRefused('not-yet-valid');
    if (at > certificate.validTo) throw new CredentialRefused('expired');
    const issuer = this.issuerOf(certificate);
    if (issuer === undefined || at < issuer.validFromDate.getTime() || at > issuer.validToDate.getTime())
      throw new CredentialRefused('issuer');
    // A certificate of a server, whose key many can read, or of a CA is none of a client.
    const { ca, keyUsage } = certificate.decoded;
    if (ca || !(keyUsage ?? []).includes(clientAuth)) throw new CredentialRefused('purpose');
    this.assertNotRevoked(certificate, issuer, at);
  }

  /** What the file says; undefined as well when it says two things, for whoever gets certificates could choose. */
  entryOf({ names }: ClientCertificate): MappedMachine | 'gateway' | undefined {
    const found = names.flatMap((name) => this.file.get(name) ?? []);
    return found.length === 1 ? found[0] : undefined;
  }

  /** Whether a list was replaced by one that is older: what was revoked since would count again. */
  isOlderThan(before: Trust): boolean {
    const known = new Map([...(before.lists ?? [])].map(([{ fingerprint256 }, list]) => [fingerprint256, list]));
    return [...(this.lists ?? [])].some(
      ([{ fingerprint256 }, { thisUpdate }]) => thisUpdate < (known.get(fingerprint256)?.thisUpdate ?? 0),
    );
  }

  /** When the first list runs out, in milliseconds. */
  get freshUntil(): number {
    return Math.min(...[...(this.lists?.values() ?? [])].map(({ nextUpdate }) => nextUpdate));
  }

  private assertNotRevoked({ serial }: ClientCertificate, issuer: X509Certificate, at: number): void {
    if (this.lists === undefined) return;
    const list = this.lists.get(issuer);
    // Whoever keeps the next list away must not keep a stolen key alive.
    if (list === undefined || at > list.nextUpdate) throw new CredentialRefused('not-checkable');
    if (list.serials.has(serial)) throw new CredentialRefused('revoked');
  }

  /** The CA of the file that signed it: CAs that a client or gateway sends along are none of ours. */
  private issuerOf(certificate: ClientCertificate): X509Certificate | undefined {
    const { decoded } = certificate;
    const known =
      this.issuers.get(certificate) ??
      this.authorities.find((one) => decoded.checkIssued(one) && decoded.verify(one.publicKey)) ??
      'none';
    this.issuers.set(certificate, known);
    return known === 'none' ? undefined : known;
  }
}

/** @throws Error that says what is wrong. */
function readAuthorities(pem: string): X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  const authorities = blocks.map(readAuthority);
  if (authorities.length === 0) throw new Error('the file has no certificate of PEM form: set those of your CAs');
  if (authorities.length > maxAuthorities) throw new Error('the file is a bundle of public CAs: set those of yours');
  const hasAbove = (one: X509Certificate) =>
    authorities.some((above) => one.checkIssued(above) && one.verify(above.publicKey));
  if (!authorities.every(hasAbove)) throw new Error('a CA has another above it: set that one in the file too');
  return authorities;
}

function readAuthority(block: string): X509Certificate {
  const authority = certificateOf(block);
  if (authority === undefined) throw new Error('a certificate of the file cannot be read: set it anew');
  if (!authority.ca) throw new Error('a certificate of the file is none of a CA: set those of your CAs');
  if (!isStrong(authority.publicKey)) throw new Error('a CA has a key of less than 2048 bits: set another CA');
  return authority;
}

function certificateOf(block: string): X509Certificate | undefined {
  try {
    return new X509Certificate(block);
  } catch {
    return undefined;
  }
}

const isStrong = ({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): boolean =>
  !asymmetricKeyType?.startsWith('rsa') || (asymmetricKeyDetails?.modulusLength ?? 0) >= 2048;

async function read<T>(variable: string, file: string, parse: (text: string) => T | Promise<T>): Promise<T> {
  try {
    return await parse(await readFile(file, 'utf8'));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const fault = code === undefined ? message : `the file cannot be read (${code}); check its path and its owner`;
    throw new ConfigurationError([`${variable}: ${fault}`]);
  }
}
