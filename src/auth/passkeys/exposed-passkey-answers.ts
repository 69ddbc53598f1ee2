import { Injectable } from '@nestjs/common';
import { ExposedCredentials } from '../../common/exposed-credentials.js';
import { PasskeyChallenges } from './passkey-challenges.js';

/** In the client data that an authenticator has signed. */
const pattern = /(?<="challenge":")[\w-]{43}(?=")/g;

/**
 * The signed answer to a challenge of a sign-in crossed the wire in clear: whoever read it could hand it in first, so the challenge is used up
 * (practice 1.3). That of a registration counts for one session, which ends with the token that was beside it.
 */
@Injectable()
export class ExposedPasskeyAnswers {
  constructor(exposed: ExposedCredentials, challenges: PasskeyChallenges) {
    const revoke = async (lookAlikes: readonly string[]): Promise<void> => {
      for (const challenge of lookAlikes) await challenges.consume(challenge);
    };
    exposed.subscribe({ kind: 'answers of passkeys', pattern, revoke });
  }
}
