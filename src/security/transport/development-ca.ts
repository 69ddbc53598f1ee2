import 'reflect-metadata';
import { createPrivateKey, randomBytes, webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

const day = 24 * 60 * 60 * 1000;
const caDays = 2 * 365;
/** Browsers refuse leaves that live longer than 398 days (CA/Browser Forum, Baseline Requirements 6.3.2). */
const leafDays = 397;
const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

/** Certificate and PKCS #8 key, both PEM. */
export interface Pair {
  readonly cert: string;
  readonly key: string;
}

/** A CA that can sign for this machine only: whoever steals its key cannot play any real site to the developer. */
export async function createCa(): Promise<Pair> {
  const keys = await generateKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    ...validFor(caDays),
    name: `CN=Development CA ${randomBytes(4).toString('hex')}`,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      new x509.Extension('2.5.29.30', true, nameConstraints()),
    ],
  });
  return toPem(certificate, keys);
}

/** A server certificate for localhost, 127.0.0.1 and ::1. */
export async function issueLeaf(ca: Pair): Promise<Pair> {
  const issuer = new x509.X509Certificate(ca.cert);
  const der = createPrivateKey(ca.key).export({ type: 'pkcs8', format: 'der' });
  const keys = await generateKeys();
  const certificate = await x509.X509CertificateGenerator.create({
    ...validFor(leafDays),
    subject: 'CN=localhost',
    issuer: issuer.subject,
    publicKey: keys.publicKey,
    signingKey: await webcrypto.subtle.importKey('pkcs8', der, algorithm, false, ['sign']),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension([
        { type: 'dns', value: 'localhost' },
        { type: 'ip', value: '127.0.0.1' },
        { type: 'ip', value: '::1' },
      ]),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
    ],
  });
  return toPem(certificate, keys);
}

const generateKeys = () => webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);

/** Begins an hour ago, for clocks that are a little slow; still within the whole days. */
function validFor(days: number) {
  const notBefore = new Date(Date.now() - 60 * 60 * 1000);
  const serialNumber = `01${randomBytes(15).toString('hex')}`;
  return { notBefore, notAfter: new Date(notBefore.getTime() + days * day), serialNumber, signingAlgorithm: algorithm };
}

async function toPem(certificate: x509.X509Certificate, keys: webcrypto.CryptoKeyPair): Promise<Pair> {
  const der = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
  return { cert: `${certificate.toString('pem')}\n`, key: `${x509.PemConverter.encode(der, 'PRIVATE KEY')}\n` };
}

/** RFC 5280 section 4.2.1.10, permitted: DNS `localhost`, 127.0.0.0/8, ::1. Every length is below 128, so one byte. */
function nameConstraints(): Uint8Array<ArrayBuffer> {
  const subtrees = [
    tagged(0x82, [...Buffer.from('localhost')]),
    tagged(0x87, [127, 0, 0, 0, 255, 0, 0, 0]),
    tagged(0x87, [...Array<number>(15).fill(0), 1, ...Array<number>(16).fill(255)]),
  ];
  return Uint8Array.from(tagged(0x30, tagged(0xa0, ...subtrees.map((name) => tagged(0x30, name)))));
}

const tagged = (tag: number, ...parts: (readonly number[])[]): number[] => [tag, parts.flat().length, ...parts.flat()];
