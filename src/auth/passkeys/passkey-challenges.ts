import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Clock } from '../../common/clock.js';
import { Macs } from '../../common/macs.js';
import type { Principal } from '../../common/principal.js';
import { Database } from '../../database/index.js';

const purpose = 'one-time-token';
/** ASVS v5.0.0-6.7.2 asks for 64 bits; with 256 none ever comes twice. */
const challengeBytes = 32;
/** WebAuthn Level 3 s15.1 recommends 5 to 10 minutes where the user has to be verified. */
export const challengeTtlMs = 5 * 60 * 1000;
const sweptAtOnce = 50;

/** Who registers a passkey. In a sign-in nobody is known yet. */
export type Registering = Pick<Principal, 'userId' | 'sessionId'>;

/** What an authenticator has to sign, once. */
@Injectable()
export class PasskeyChallenges {
  constructor(
    private readonly database: Database,
    private readonly macs: Macs,
    private readonly clock: Clock,
  ) {}

  /** @returns base64url. The table has its MAC only, so a copy of the table answers nobody. */
  async issue(registering?: Registering): Promise<string> {
    const challenge = randomBytes(challengeBytes).toString('base64url');
    const now = this.clock.now();
    const { passkeyChallenge } = this.database.client;
    // Bounded, because somebody waits for the answer; it still removes more than it makes.
    await passkeyChallenge.deleteMany({ where: { expiresAt: { lte: now } }, limit: sweptAtOnce });
    const mac = this.macs.keyed(purpose, nameOf(challenge, registering));
    const expiresAt = new Date(now.getTime() + challengeTtlMs);
    await passkeyChallenge.create({ data: { mac, userId: registering?.userId, expiresAt }, select: { id: true } });
    return challenge;
  }

  /** True for exactly one caller, however many answer at once: the row is the challenge, and a row is deleted once. */
  async consume(challenge: string, registering?: Registering): Promise<boolean> {
    const { count } = await this.database.client.passkeyChallenge.deleteMany({
      where: { mac: { in: this.macs.keyedWithAllKeys(purpose, nameOf(challenge, registering)) }, expiresAt: { gt: this.clock.now() } },
    });
    return count === 1;
  }
}

/**
 * What the MAC is over. A challenge of a registration counts for the session that asked, which proved who it is just before, and for
 * nothing else; and the MAC of a challenge, copied by SQL into another table, opens nothing there.
 */
const nameOf = (challenge: string, registering?: Registering): string =>
  `passkey ${registering === undefined ? 'sign-in' : `registration ${registering.userId} ${registering.sessionId}`} ${challenge}`;
