import { Injectable } from '@nestjs/common';
import type { Problem } from '../../common/problem.js';
import { SecurityEvents } from '../../common/security-events.js';
import { unauthenticated } from '../authentication/unauthenticated.js';
import { SignIns, type TokensView } from '../sessions/index.js';
import type { SignInOptionsView } from './options.view.js';
import { challengeTtlMs } from './passkey-challenges.js';
import type { SignInByPasskey, UsedCredential } from './passkey.dto.js';
import { PasskeyRepository } from './passkey.repository.js';
import { RelyingParty, type VerifiedUse } from './relying-party.js';

/** Sign-in by passkey, without a user name (WebAuthn Level 3 s7.2). */
@Injectable()
export class PasskeySignIns {
  constructor(
    private readonly relyingParty: RelyingParty,
    private readonly repository: PasskeyRepository,
    private readonly signIns: SignIns,
    private readonly events: SecurityEvents,
  ) {}

  /** The same for everybody: no list of credentials, which would tell who has an account, and what for (WebAuthn Level 3 s14.6.2). */
  async options(): Promise<SignInOptionsView> {
    return { challenge: await this.relyingParty.challenge(), rpId: this.relyingParty.id, timeout: challengeTtlMs, userVerification: 'required' };
  }

  /** @throws Problem `unauthenticated`, one and the same for whatever is wrong. */
  async signIn({ credential, inBrowser }: SignInByPasskey): Promise<TokensView> {
    const proof = await this.verify(credential);
    const { id, userId } = proof;
    try {
      // RFC 8176: a key was used, and its holder was there and verified.
      return await this.signIns.begin({ userId, methods: ['hwk', 'user'], inBrowser, together: () => this.use(proof) });
    } catch (error) {
      throw error instanceof StaleCounter ? this.refuseCopy(id, userId) : error;
    }
  }

  /** In one transaction with the session: what happens to the passkey at this moment either stops the sign-in, or ends its session. */
  private async use({ id, userId, use }: Proof): Promise<void> {
    const standing = await this.repository.standingOf(id);
    if (standing === null) throw this.refuse('deleted', userId);
    // Whoever had the account may have left a passkey in it: it waits for the owner of the mailbox, as the password does.
    if (standing.isResetDue) throw this.refuse('reset-due', userId);
    if (!(await this.repository.use(id, use))) throw new StaleCounter();
    const details = { method: 'passkey' };
    if (standing.isUnused) await this.events.record({ action: 'authn_new_device', outcome: 'success', actorId: userId, target: { type: 'user', id: userId }, details });
  }

  private async verify(credential: UsedCredential): Promise<Proof> {
    const challenge = await this.relyingParty.spendChallenge(credential);
    if (challenge === undefined) throw this.refuse('challenge');
    const passkey = await this.repository.findByCredentialId(credential.id);
    if (passkey === null) throw this.refuse('unknown');
    const { id, userId, publicKey, user } = passkey;
    if (credential.response.userHandle !== this.relyingParty.handleOf(userId)) throw this.refuse('user-handle', userId);
    const use = await this.relyingParty.verifyUse(credential, challenge, publicKey);
    if (use === undefined) throw this.refuse('assertion', userId);
    if (user.status !== 'active') throw this.refuse('disabled', userId);
    return { id, userId, use };
  }

  private refuse(reason: string, userId?: string): Problem {
    const target = userId === undefined ? undefined : { type: 'user', id: userId };
    this.events.report({ action: 'authn_login_fail', outcome: 'denied', target, details: { method: 'passkey', reason } });
    return refused();
  }

  /** There are two of this key: an incident, and its owner hears of it. */
  private refuseCopy(passkeyId: string, userId: string): Problem {
    const details = { factor: 'passkey', passkeyId, reason: 'counter' };
    this.events.report({ action: 'authn_factor_fail', outcome: 'denied', target: { type: 'user', id: userId }, details });
    return refused();
  }
}

/** Of a passkey of that user. */
interface Proof {
  readonly id: string;
  readonly userId: string;
  readonly use: VerifiedUse;
}

/** The signature is genuine, and its count was there before. */
class StaleCounter extends Error {}

const refused = (): Problem => unauthenticated('The passkey was not accepted.');
