import { Inject, Injectable, Logger } from '@nestjs/common';
import type { AttestationObject } from '@simplewebauthn/server/helpers';
import { CONFIG, type Config } from '../../config/index.js';
import { PasskeyChallenges, type Registering } from './passkey-challenges.js';
import type { NewCredential, UsedCredential } from './passkey.dto.js';

/** COSE: ES256, EdDSA, and RS256 for Windows Hello on older TPMs. */
export const algorithms = [-7, -8, -257];

/** What a genuine registration says. */
export interface VerifiedCredential {
  /** base64url. */
  readonly credentialId: string;
  /** COSE, base64url. */
  readonly publicKey: string;
  readonly counter: number;
  readonly transports: readonly string[];
  readonly backedUp: boolean;
}

/** What a genuine sign-in says. */
export interface VerifiedUse {
  readonly counter: number;
  readonly backedUp: boolean;
}

/**
 * Our side of WebAuthn. The checks of Level 3 s7.1 and s7.2 that are not about our own rows are made here, or in the library. Backup
 * eligibility is not stored, so a sign-in is not compared with it: it is a word of the authenticator, which nobody attested.
 */
@Injectable()
export class RelyingParty {
  /** A passkey belongs to this domain. Browsers offer it nowhere else: that is what stops phishing. */
  readonly id: string;
  /** The pages that may use it, exactly: an origin that a suffix or a pattern lets in is one that somebody else can have. */
  readonly origins: readonly string[];

  constructor(
    @Inject(CONFIG) { passkeyRpId, passkeyOrigins }: Config,
    private readonly challenges: PasskeyChallenges,
  ) {
    this.id = passkeyRpId;
    this.origins = passkeyOrigins;
  }

  /** The user's id as bytes: random enough, and no personal data (WebAuthn Level 3 s14.6.1). @returns base64url. */
  handleOf(userId: string): string {
    return Buffer.from(userId.replaceAll('-', ''), 'hex').toString('base64url');
  }

  challenge(registering?: Registering): Promise<string> {
    return this.challenges.issue(registering);
  }

  /**
   * The challenge that a response answers, spent before anything else is checked: one challenge is one attempt (ASVS v5.0.0-6.7.2).
   * Undefined when it is none of ours, is for something else, expired or used, or was answered in a frame of another site.
   */
  async spendChallenge({ response }: NewCredential | UsedCredential, registering?: Registering): Promise<string | undefined> {
    const challenge = challengeIn(response.clientDataJSON);
    return challenge !== undefined && (await this.challenges.consume(challenge, registering)) ? challenge : undefined;
  }

  /** Undefined for whatever is not a new key of a verified person, made for one of our origins and this challenge. */
  async verifyNew(response: NewCredential, challenge: string): Promise<VerifiedCredential | undefined> {
    const { decodeAttestationObject, verifyRegistrationResponse } = await library();
    return genuine(async () => {
      refuseCertificates(decodeAttestationObject(bytesOf(response.response.attestationObject)));
      const verification = await verifyRegistrationResponse({ response: toJson(response), ...this.expected(challenge), supportedAlgorithmIDs: algorithms });
      if (!verification.verified) return undefined;
      const { credential, credentialBackedUp } = verification.registrationInfo;
      const { id: credentialId, publicKey, counter } = credential;
      // Two ids: one is signed, and the next reader may believe the other.
      if (credentialId !== response.id) return undefined;
      const transports = response.response.transports ?? [];
      return { credentialId, publicKey: Buffer.from(publicKey).toString('base64url'), counter, transports, backedUp: credentialBackedUp };
    });
  }

  /** Undefined for whatever is not signed by the key, by a verified person, for one of our origins and this challenge. */
  async verifyUse(response: UsedCredential, challenge: string, publicKey: string): Promise<VerifiedUse | undefined> {
    const { verifyAuthenticationResponse } = await library();
    return genuine(async () => {
      // The counter is compared where it is stored, in one statement; 0 here means "not asked".
      const credential = { id: response.id, publicKey: bytesOf(publicKey), counter: 0 };
      const { verified, authenticationInfo } = await verifyAuthenticationResponse({ response: toJson(response), ...this.expected(challenge), credential });
      return verified ? { counter: authenticationInfo.newCounter, backedUp: authenticationInfo.credentialBackedUp } : undefined;
    });
  }

  private expected(challenge: string) {
    return { expectedChallenge: challenge, expectedOrigin: [...this.origins], expectedRPID: this.id, requireUserVerification: true };
  }
}

function challengeIn(clientData: string): string | undefined {
  try {
    const { challenge, crossOrigin = false } = JSON.parse(Buffer.from(clientData, 'base64url').toString()) as Record<string, unknown>;
    // The library lets Safari's form of it pass, which does not name the site around the frame.
    return typeof challenge === 'string' && crossOrigin === false ? challenge : undefined;
  } catch {
    return undefined;
  }
}

/** Loaded at the first use: it takes longer to load than the rest of a start. */
async function library() {
  const [server, { decodeAttestationObject }] = await Promise.all([import('@simplewebauthn/server'), import('@simplewebauthn/server/helpers')]);
  return { ...server, decodeAttestationObject };
}

const bytesOf = (base64url: string) => new Uint8Array(Buffer.from(base64url, 'base64url'));
const toJson = <Credential extends object>(credential: Credential) => ({ ...credential, clientExtensionResults: {} });

const logger = new Logger('RelyingParty');

/** The library throws for everything that is not genuine. Its messages quote what was sent, so only the kind of the error is kept. */
async function genuine<T>(verify: () => Promise<T | undefined>): Promise<T | undefined> {
  try {
    return await verify();
  } catch (error) {
    logger.debug(`not genuine: ${error instanceof Error ? error.name : typeof error}`);
    return undefined;
  }
}

/**
 * We ask for no attestation, so an honest browser sends none, or one that the key made for itself. The library would verify any other
 * form too: parse certificates of the caller's choice, and fetch the revocation lists that they name.
 * @throws Error for an attestation with certificates.
 */
function refuseCertificates(attestation: AttestationObject): void {
  const format: string = attestation.get('fmt');
  const madeByItself = format === 'packed' && attestation.get('attStmt').get('x5c') === undefined;
  if (format !== 'none' && !madeByItself) throw new Error('an attestation that nobody asked for');
}
