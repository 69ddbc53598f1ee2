import { Inject, Injectable, Logger } from '@nestjs/common';
import type { AttestationObject } from '@simplewebauthn/server/helpers';
import type { Person } from '../../../common/access/principal.js';
import { CONFIG, type Config } from '../../../config/index.js';
import { OneTimeTokens } from '../../one-time-tokens/one-time-tokens.service.js';
import type { NewCredential, UsedCredential } from './passkeys.dto.js';
import { relyingParty } from './passkeys.settings.js';

/** COSE: ES256, EdDSA, and RS256 for Windows Hello on older TPMs. */
export const algorithms = [-7, -8, -257];

/** WebAuthn Level 3 s15.1 recommends 5 to 10 minutes where the user has to be verified. */
export const challengeTtlMs = 5 * 60 * 1000;

/** A challenge is a token that counts once: ASVS v5.0.0-6.7.2 asks for 64 random bits, it has 256. */
const signIn = { purpose: 'passkey-sign-in', ttlMs: challengeTtlMs } as const;
const registration = { purpose: 'passkey-registration', ttlMs: challengeTtlMs } as const;

/** The one spelling of such a token as base64url: 48 bytes. */
const challengeForm = /^[\w-]{64}$/;

/** In the client data that an authenticator has signed. */
export const challengePattern = /(?<="challenge":")[\w-]{64}(?=")/g;

/** Who registers a passkey. In a sign-in nobody is known yet. */
type Registering = Pick<Person, 'userId' | 'sessionId'>;

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
 * Our side of WebAuthn. The checks of Level 3 s7.1 and s7.2 that are not about our own rows are made here, or in the
 * library. Backup eligibility is not stored, so a sign-in is not compared with it: it is a word of the authenticator,
 * which nobody attested.
 */
@Injectable()
export class RelyingParty {
  /** A passkey belongs to this domain. Browsers offer it nowhere else: that is what stops phishing. */
  readonly id: string;
  /**
   * The pages that may use it, exactly: an origin that a suffix or a pattern lets in is one that somebody else can
   * have.
   */
  readonly origins: readonly string[];

  constructor(
    @Inject(CONFIG) config: Config,
    private readonly tokens: OneTimeTokens,
  ) {
    ({ id: this.id, origins: this.origins } = relyingParty(config));
  }

  /** The user's id as bytes: random enough, and no personal data (WebAuthn Level 3 s14.6.1). @returns base64url. */
  handleOf(userId: string): string {
    return Buffer.from(userId.replaceAll('-', ''), 'hex').toString('base64url');
  }

  /**
   * What an authenticator has to sign, once. A challenge of a registration counts for the session that asked, which
   * proved who it is just before, and for nothing else. @returns base64url.
   */
  async challenge(registering?: Registering): Promise<string> {
    const [kind, boundTo] = useOf(registering);
    return Buffer.from(await this.tokens.give(kind, boundTo), 'hex').toString('base64url');
  }

  /**
   * The challenge that a response answers, used up before anything else is checked: one challenge is one attempt (ASVS
   * v5.0.0-6.7.2). Undefined when it is none of ours, is for something else, expired or used, or was answered in a
   * frame of another site.
   */
  async consumeChallenge(
    { response }: NewCredential | UsedCredential,
    registering?: Registering,
  ): Promise<string | undefined> {
    const challenge = challengeIn(response.clientDataJSON);
    return challenge !== undefined && (await this.consume(challenge, registering)) ? challenge : undefined;
  }

  /**
   * The signed answer to a challenge of a sign-in crossed the wire in clear: whoever read it could hand it in first, so
   * the challenge is used up (practice 1.3). That of a registration counts for one session, which ends with the token
   * that was beside it.
   */
  async revokeExposed(challenges: readonly string[]): Promise<void> {
    for (const challenge of challenges) await this.consume(challenge);
  }

  /** Undefined for whatever is not a new key of a verified person, made for one of our origins and this challenge. */
  async verifyNew(response: NewCredential, challenge: string): Promise<VerifiedCredential | undefined> {
    const { decodeAttestationObject, verifyRegistrationResponse } = await library();
    return verifyOrUndefined(async () => {
      assertNoCertificates(decodeAttestationObject(bytesOf(response.response.attestationObject)));
      const verification = await verifyRegistrationResponse({
        response: toJson(response),
        ...this.expected(challenge),
        supportedAlgorithmIDs: algorithms,
      });
      if (!verification.verified) return undefined;
      const { credential, credentialBackedUp } = verification.registrationInfo;
      const { id: credentialId, publicKey, counter } = credential;
      // Two ids: one is signed, and the next reader may believe the other.
      if (credentialId !== response.id) return undefined;
      const transports = response.response.transports ?? [];
      return {
        credentialId,
        publicKey: Buffer.from(publicKey).toString('base64url'),
        counter,
        transports,
        backedUp: credentialBackedUp,
      };
    });
  }

  /**
   * Undefined for whatever is not signed by the key, by a verified person, for one of our origins and this challenge.
   */
  async verifyUse(response: UsedCredential, challenge: string, publicKey: string): Promise<VerifiedUse | undefined> {
    const { verifyAuthenticationResponse } = await library();
    return verifyOrUndefined(async () => {
      // The counter is compared where it is stored, in one statement; 0 here means "not asked".
      const credential = { id: response.id, publicKey: bytesOf(publicKey), counter: 0 };
      const { verified, authenticationInfo } = await verifyAuthenticationResponse({
        response: toJson(response),
        ...this.expected(challenge),
        credential,
      });
      return verified
        ? { counter: authenticationInfo.newCounter, backedUp: authenticationInfo.credentialBackedUp }
        : undefined;
    });
  }

  private async consume(challenge: string, registering?: Registering): Promise<boolean> {
    const [kind, boundTo] = useOf(registering);
    const token = Buffer.from(challenge, 'base64url').toString('hex');
    return challengeForm.test(challenge) && (await this.tokens.take(kind, token, boundTo));
  }

  private expected(challenge: string) {
    return {
      expectedChallenge: challenge,
      expectedOrigin: [...this.origins],
      expectedRPID: this.id,
      requireUserVerification: true,
    };
  }
}

const useOf = (registering?: Registering) =>
  registering === undefined
    ? ([signIn, ''] as const)
    : ([registration, `${registering.userId} ${registering.sessionId}`] as const);

function challengeIn(clientData: string): string | undefined {
  try {
    const { challenge, crossOrigin = false } = JSON.parse(Buffer.from(clientData, 'base64url').toString()) as Record<
      string,
      unknown
    >;
    // The library lets Safari's form of it pass, which does not name the site around the frame.
    return typeof challenge === 'string' && crossOrigin === false ? challenge : undefined;
  } catch {
    return undefined;
  }
}

/** Loaded at the first use: it takes longer to load than the rest of a start. */
async function library() {
  const [server, { decodeAttestationObject }] = await Promise.all([
    import('@simplewebauthn/server'),
    import('@simplewebauthn/server/helpers'),
  ]);
  return { ...server, decodeAttestationObject };
}

const bytesOf = (base64url: string) => new Uint8Array(Buffer.from(base64url, 'base64url'));
const toJson = <Credential extends object>(credential: Credential) => ({ ...credential, clientExtensionResults: {} });

const logger = new Logger('RelyingParty');

/**
 * The library throws for everything that is not genuine. Its messages quote what was sent, so only the kind of the
 * error is kept.
 */
async function verifyOrUndefined<T>(verify: () => Promise<T | undefined>): Promise<T | undefined> {
  try {
    return await verify();
  } catch (error) {
    logger.debug(`not genuine: ${error instanceof Error ? error.name : typeof error}`);
    return undefined;
  }
}

/**
 * We ask for no attestation, so an honest browser sends none, or one that the key made for itself. The library would
 * verify any other form too: parse certificates of the caller's choice, and fetch the revocation lists that they name.
 * @throws Error for an attestation with certificates.
 */
function assertNoCertificates(attestation: AttestationObject): void {
  const format: string = attestation.get('fmt');
  const madeByItself = format === 'packed' && attestation.get('attStmt').get('x5c') === undefined;
  if (format !== 'none' && !madeByItself) throw new Error('an attestation that nobody asked for');
}
