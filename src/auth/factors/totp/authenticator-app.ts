import { randomBytes } from 'node:crypto';
import { generateURI, ScureBase32Plugin, verifySync } from 'otplib';
import { toString as drawQrCode } from 'qrcode';

/** RFC 4226 s4 recommends 160 bits. */
const secretBytes = 20;
/** What authenticator apps read: many ignore every other value that the QR code names. */
const parameters = { algorithm: 'sha1', digits: 6, period: 30 } as const;
/**
 * One step back, none ahead: a code that is typed at the end of its 30 seconds arrives after them (RFC 6238 s5.2). So a
 * code lives for at most 60 seconds, which is a deviation from ASVS v5.0.0-6.5.5; that each counts once stays true.
 */
const toleranceSeconds: [number, number] = [parameters.period, 0];

/** A new secret in base32, as people type it who cannot scan. */
export const newSecret = (): string => new ScureBase32Plugin().encode(randomBytes(secretBytes));

/**
 * The secret as `otpauth:` address, and that as a `data:` address of an SVG image: drawn here, because a service that
 * draws it would learn the secret.
 * @param names what the app shows beside the code.
 */
export async function describeSecret(
  secret: string,
  { issuer, account }: { issuer: string; account: string },
): Promise<{ uri: string; qrCode: string }> {
  const uri = generateURI({ secret, issuer, label: account, ...parameters });
  const svg = await drawQrCode(uri, { type: 'svg', errorCorrectionLevel: 'M' });
  return { uri, qrCode: `data:image/svg+xml;base64,${Buffer.from(svg).toString('base64')}` };
}

/**
 * The time step whose code it is; undefined for a code that is wrong at this moment. Compared in constant time by the
 * library.
 * @param now the server's time, whatever the client says (ASVS v5.0.0-6.5.8).
 */
export function stepOf(secret: string, code: string, now: Date): number | undefined {
  const epoch = Math.floor(now.getTime() / 1000);
  const result = verifySync({ secret, token: code, epoch, epochTolerance: toleranceSeconds, ...parameters });
  return result.valid && 'timeStep' in result ? result.timeStep : undefined;
}
