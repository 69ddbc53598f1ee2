import { randomBytes, webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const hourMs = 60 * 60 * 1000;
const { serverAuth, clientAuth } = x509.ExtendedKeyUsage;

/** PEM, with the serial number and the DER that a gateway forwards. */
export interface ClientPair {
  readonly cert: string;
  readonly key: string;
  readonly serial: string;
  readonly der: Buffer;
  /** `Client-Cert` of RFC 9440. */
  readonly field: string;
}

interface Issued {
  readonly names?: readonly x509.JsonGeneralName[];
  readonly usages?: readonly string[];
  readonly from?: Date;
  readonly to?: Date;
}

/** A CA of a test, which signs client certificates and revocation lists. */
export class ClientAuthority {
  private constructor(
    private readonly certificate: x509.X509Certificate,
    private readonly keys: webcrypto.CryptoKeyPair,
  ) {}

  /** @param above the CA that signs it; left out: itself. */
  static async create(
    name: string,
    above?: ClientAuthority,
    { usages = allUsages, pathLength }: { readonly usages?: number; readonly pathLength?: number } = {},
  ): Promise<ClientAuthority> {
    const keys = await generateKeys();
    const certificate = await x509.X509CertificateGenerator.create({
      ...fields(undefined, new Date(Date.now() + 30 * 24 * hourMs)),
      subject: name,
      issuer: above?.certificate.subject ?? name,
      publicKey: keys.publicKey,
      signingKey: (above?.keys ?? keys).privateKey,
      extensions: [
        new x509.BasicConstraintsExtension(true, pathLength, true),
        new x509.KeyUsagesExtension(usages, true),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      ],
    });
    return new ClientAuthority(certificate, keys);
  }

  get pem(): string {
    return `${this.certificate.toString('pem')}\n`;
  }

  /** The CA's own certificate, as if it were a client. */
  asClient(): Promise<ClientPair> {
    return toPair(this.certificate, this.keys);
  }

  async issue({ names = [], usages = [clientAuth], from, to }: Issued = {}): Promise<ClientPair> {
    const keys = await generateKeys();
    const certificate = await x509.X509CertificateGenerator.create({
      ...fields(from, to),
      subject: 'CN=client',
      issuer: this.certificate.subject,
      publicKey: keys.publicKey,
      signingKey: this.keys.privateKey,
      extensions: [
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        ...(usages.length === 0 ? [] : [new x509.ExtendedKeyUsageExtension([...usages])]),
        ...(names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension([...names])]),
        await x509.AuthorityKeyIdentifierExtension.create(this.certificate),
      ],
    });
    return toPair(certificate, keys);
  }

  /** PEM of a list that revokes these, as of `hours` from now, and due again a day after. */
  async list(revoked: readonly ClientPair[] = [], hours = -1, extensions: x509.Extension[] = []): Promise<string> {
    const thisUpdate = new Date(Date.now() + hours * hourMs);
    const crl = await x509.X509CrlGenerator.create({
      issuer: this.certificate.subject,
      thisUpdate,
      nextUpdate: new Date(thisUpdate.getTime() + 24 * hourMs),
      entries: revoked.map(({ serial: serialNumber }) => ({ serialNumber, revocationDate: thisUpdate })),
      signingAlgorithm: algorithm,
      signingKey: this.keys.privateKey,
      extensions,
    });
    return `${crl.toString('pem')}\n`;
  }
}

const allUsages = x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign;
export const serverOnly = [serverAuth];
export const uri = (value: string): x509.JsonGeneralName => ({ type: 'url', value });
export const dns = (value: string): x509.JsonGeneralName => ({ type: 'dns', value });

const generateKeys = () => webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);

const fields = (from = new Date(Date.now() - hourMs), to = new Date(Date.now() + 24 * hourMs)) => ({
  notBefore: from,
  notAfter: to,
  serialNumber: `01${randomBytes(15).toString('hex')}`,
  signingAlgorithm: algorithm,
});

async function toPair(certificate: x509.X509Certificate, keys: webcrypto.CryptoKeyPair): Promise<ClientPair> {
  const key = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
  const der = Buffer.from(certificate.rawData);
  return {
    cert: `${certificate.toString('pem')}\n`,
    key: x509.PemConverter.encode(key, 'PRIVATE KEY'),
    serial: certificate.serialNumber,
    der,
    field: `:${der.toString('base64')}:`,
  };
}
