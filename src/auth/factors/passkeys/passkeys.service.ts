import { Injectable } from '@nestjs/common';
import type { Person } from '../../../common/access/principal.js';
import { Problem, unauthenticated } from '../../../common/http/problem.js';
import { SecurityEvents } from '../../../common/events/security-events.js';
import { Database } from '../../../database/index.js';
import { UsersService } from '../../../users/index.js';
import type { TokensView } from '../../sessions/sessions.dto.js';
import { SessionsService } from '../../sessions/sessions.service.js';
import { factorFailed, factorRemoved } from '../factors.events.js';
import { FactorsService } from '../factors.service.js';
import { declareSecondFactor } from '../second-factors.js';
import type { RegistrationOptionsView, SignInOptionsView } from './options.view.js';
import type { NewCredential, RegisterPasskey, SignInByPasskey, UsedCredential } from './passkeys.dto.js';
import { PasskeyRepository } from './passkey.repository.js';
import type { PasskeyListView, PasskeyView, RegisteredPasskeyView } from './passkeys.view.js';
import {
  algorithms,
  challengeTtlMs,
  RelyingParty,
  type VerifiedCredential,
  type VerifiedUse,
} from './relying-party.js';

export const passkeyFactor = declareSecondFactor({ name: 'passkey', label: 'a passkey', method: 'hwk' });

/**
 * Passkeys of people: registered (WebAuthn Level 3 s7.1), and used to sign in without a user name (s7.2). Each begins
 * with options for the browser, and ends with its answer.
 */
@Injectable()
export class PasskeysService {
  constructor(
    private readonly relyingParty: RelyingParty,
    private readonly repository: PasskeyRepository,
    private readonly factors: FactorsService,
    private readonly users: UsersService,
    private readonly sessions: SessionsService,
    private readonly database: Database,
    private readonly events: SecurityEvents,
  ) {}

  async registrationOptions(principal: Person): Promise<RegistrationOptionsView> {
    const email = await this.users.emailOf(principal.userId);
    if (email === undefined) throw unauthenticated();
    const known = await this.repository.credentialsOf(principal.userId);
    return {
      challenge: await this.relyingParty.challenge(principal),
      rp: { id: this.relyingParty.id, name: this.relyingParty.id },
      user: { id: this.relyingParty.handleOf(principal.userId), name: email, displayName: email },
      pubKeyCredParams: algorithms.map((alg) => ({ type: 'public-key', alg })),
      timeout: challengeTtlMs,
      excludeCredentials: known.map(({ credentialId: id, transports }) => ({ type: 'public-key', id, transports })),
      // Resident: the authenticator knows the account, so nobody types a user name. Verified: something that the person
      // knows or is comes on top of the device, which makes a passkey two factors (ASVS v5.0.0-6.3.3).
      authenticatorSelection: { residentKey: 'required', requireResidentKey: true, userVerification: 'required' },
      attestation: 'none',
    };
  }

  /**
   * Adds the passkey, and ends every other session: one that a thief has must not outlive a change of the factors (ASVS
   * v5.0.0-7.4.3).
   * @throws Problem `malformed-request` for an answer that is not genuine; `conflict` for a passkey that is known, or
   * one too many.
   */
  async register(principal: Person, { name, credential }: RegisterPasskey): Promise<RegisteredPasskeyView> {
    const verified = await this.verifyNew(principal, credential);
    const { stored, ...rest } = await this.factors.enrol(principal, passkeyFactor, async () => {
      if (await this.repository.isFull(principal))
        throw new Problem('conflict', 'There are as many passkeys as an account may have. Delete one first.');
      return this.repository.add(principal, name, verified);
    });
    return { passkey: stored, ...rest };
  }

  async list({ userId }: Person): Promise<PasskeyListView> {
    return { items: await this.repository.listOf(userId) };
  }

  rename(principal: Person, id: string, name: string): Promise<PasskeyView> {
    return this.database.transaction(async () => {
      const renamed = await this.repository.rename(principal, id, name);
      await this.events.recordInTransaction({
        action: 'user_updated',
        outcome: 'success',
        target: { type: 'passkey', id },
        details: { fields: ['name'] },
      });
      return renamed;
    });
  }

  /**
   * From the commit on it signs nobody in (ASVS v5.0.0-6.5.6). Whoever used it elsewhere, after a theft for example, is
   * out as well.
   */
  async remove(principal: Person, id: string): Promise<void> {
    await this.factors.change(
      principal,
      { action: factorRemoved, details: { factor: 'passkey', passkeyId: id } },
      async () => {
        if (!(await this.repository.remove(principal, id))) throw new Problem('not-found');
      },
    );
  }

  private async verifyNew(principal: Person, credential: NewCredential): Promise<VerifiedCredential> {
    const challenge = await this.relyingParty.consumeChallenge(credential, principal);
    if (challenge === undefined) throw this.deniedRegistration('challenge');
    const verified = await this.relyingParty.verifyNew(credential, challenge);
    if (verified === undefined) throw this.deniedRegistration('attestation');
    return verified;
  }

  private deniedRegistration(reason: string): Problem {
    this.events.reportLater({
      action: 'input_validation_fail',
      outcome: 'denied',
      details: { factor: 'passkey', reason },
    });
    const fault = {
      pointer: '/credential',
      code: 'unusable-credential',
      message: 'credential is no fresh answer to the options, or not verified',
    };
    return new Problem('malformed-request', 'The passkey could not be registered. Ask for new options and try again.', {
      errors: [fault],
    });
  }

  /**
   * The same for everybody: no list of credentials, which would tell who has an account, and what for (WebAuthn Level 3
   * s14.6.2).
   */
  async signInOptions(): Promise<SignInOptionsView> {
    return {
      challenge: await this.relyingParty.challenge(),
      rpId: this.relyingParty.id,
      timeout: challengeTtlMs,
      userVerification: 'required',
    };
  }

  /** @throws Problem `unauthenticated`, one and the same for whatever is wrong. */
  async signIn({ credential, inBrowser }: SignInByPasskey): Promise<TokensView> {
    const proof = await this.verifyUse(credential);
    const { id, userId } = proof;
    try {
      // RFC 8176: a key was used, and its holder was there and verified.
      return await this.sessions.signIn({
        userId,
        methods: ['hwk', 'user'],
        inBrowser,
        inTransaction: () => this.use(proof),
      });
    } catch (error) {
      throw error instanceof StaleCounter ? this.deniedCopy(id, userId) : error;
    }
  }

  /**
   * In one transaction with the session: what happens to the passkey at this moment either stops the sign-in, or ends
   * its session.
   */
  private async use({ id, userId, use }: Proof): Promise<void> {
    const state = await this.repository.stateOf(id);
    if (state === null) throw this.deniedSignIn('deleted', userId);
    // Whoever had the account may have left a passkey in it: it waits for the owner of the mailbox, as the password
    // does.
    if (state.isResetDue) throw this.deniedSignIn('reset-due', userId);
    if (!(await this.repository.use(id, use))) throw new StaleCounter();
    const details = { method: 'passkey' };
    if (state.isUnused)
      await this.events.recordInTransaction({
        action: 'authn_new_device',
        outcome: 'success',
        actorId: userId,
        target: { type: 'user', id: userId },
        details,
      });
  }

  private async verifyUse(credential: UsedCredential): Promise<Proof> {
    const challenge = await this.relyingParty.consumeChallenge(credential);
    if (challenge === undefined) throw this.deniedSignIn('challenge');
    const passkey = await this.repository.findByCredentialId(credential.id);
    if (passkey === null) throw this.deniedSignIn('unknown');
    const { id, userId, publicKey, user } = passkey;
    if (credential.response.userHandle !== this.relyingParty.handleOf(userId))
      throw this.deniedSignIn('user-handle', userId);
    const use = await this.relyingParty.verifyUse(credential, challenge, publicKey);
    if (use === undefined) throw this.deniedSignIn('assertion', userId);
    if (user.status !== 'active') throw this.deniedSignIn('disabled', userId);
    return { id, userId, use };
  }

  private deniedSignIn(reason: string, userId?: string): Problem {
    const target = userId === undefined ? undefined : { type: 'user', id: userId };
    this.events.reportLater({
      action: 'authn_login_fail',
      outcome: 'denied',
      target,
      details: { method: 'passkey', reason },
    });
    return refused();
  }

  /** There are two of this key: an incident, and its owner hears of it. */
  private deniedCopy(passkeyId: string, userId: string): Problem {
    const details = { factor: 'passkey', passkeyId, reason: 'counter' };
    this.events.reportLater({
      action: factorFailed,
      outcome: 'denied',
      target: { type: 'user', id: userId },
      details,
    });
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
