import { randomBytes } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { generateURI, ScureBase32Plugin, verifySync } from 'otplib';
import { toString as drawQrCode } from 'qrcode';
import { Clock } from '../../common/clock.js';
import { CONFIG, type Config } from '../../config/index.js';

/** RFC 4226 s4 recommends 160 bits. */
const secretBytes = 20;
/** What authenticator apps read: many ignore every other value that the QR code names. */
const parameters = { algorithm: 'sha1', digits: 6, period: 30 } as const;
/**
 * One step back, none ahead: a code that is typed at the end of its 30 seconds arrives after them (RFC 6238 s5.2). So a code lives for at
 * most 60 seconds, which is a deviation from ASVS v5.0.0-6.5.5; that each counts once stays true.
 */
const toleranceSeconds: [number, number] = [parameters.period, 0];

/** What the app on a person's phone has to be told, and what it shows at this moment. */
@Injectable()
export class AuthenticatorApp {
  constructor(
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** A new secret in base32, as people type it who cannot scan. */
  newSecret(): string {
    return new ScureBase32Plugin().encode(randomBytes(secretBytes));
  }

  /**
   * The secret as `otpauth:` address, and that as a `data:` address of an SVG image: drawn here, because a service that draws it would
   * learn the secret.
   * @param account what the app shows beside the code.
   */
  async showing(secret: string, account: string): Promise<{ uri: string; qrCode: string }> {
    const issuer = new URL(this.config.publicUrl).hostname;
    const uri = generateURI({ secret, issuer, label: account, ...parameters });
    const svg = await drawQrCode(uri, { type: 'svg', errorCorrectionLevel: 'M' });
    return { uri, qrCode: `data:image/svg+xml;base64,${Buffer.from(svg).toString('base64')}` };
  }

  /** The time step whose code it is; undefined for a code that is wrong at this moment. Compared in constant time by the library. */
  stepOf(secret: string, code: string): number | undefined {
    // The server's clock, whatever the client says (ASVS v5.0.0-6.5.8).
    const epoch = Math.floor(this.clock.now().getTime() / 1000);
    const result = verifySync({ secret, token: code, epoch, epochTolerance: toleranceSeconds, ...parameters });
    return result.valid && 'timeStep' in result ? result.timeStep : undefined;
  }
}
