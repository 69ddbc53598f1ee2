import { Injectable } from '@nestjs/common';
import type { Principal } from '../../common/principal.js';
import { Problem } from '../../common/problem.js';
import { SecurityEvents } from '../../common/security-events.js';
import { RecoveryCodes } from '../recovery-codes/index.js';
import { FactorChanges } from '../sessions/index.js';
import type { RegistrationOptionsView } from './options.view.js';
import { challengeTtlMs } from './passkey-challenges.js';
import type { NewCredential, RegisterPasskey } from './passkey.dto.js';
import { PasskeyRepository } from './passkey.repository.js';
import type { RegisteredPasskeyView } from './passkey.view.js';
import { algorithms, RelyingParty, type VerifiedCredential } from './relying-party.js';

/** A new passkey: options for the browser, then its answer (WebAuthn Level 3 s7.1). */
@Injectable()
export class PasskeyRegistrations {
  constructor(
    private readonly relyingParty: RelyingParty,
    private readonly repository: PasskeyRepository,
    private readonly changes: FactorChanges,
    private readonly recoveryCodes: RecoveryCodes,
    private readonly events: SecurityEvents,
  ) {}

  async options(principal: Principal): Promise<RegistrationOptionsView> {
    const { email } = await this.repository.emailOf(principal);
    const known = await this.repository.credentialsOf(principal.userId);
    return {
      challenge: await this.relyingParty.challenge(principal),
      rp: { id: this.relyingParty.id, name: this.relyingParty.id },
      user: { id: this.relyingParty.handleOf(principal.userId), name: email, displayName: email },
      pubKeyCredParams: algorithms.map((alg) => ({ type: 'public-key', alg })),
      timeout: challengeTtlMs,
      excludeCredentials: known.map(({ credentialId: id, transports }) => ({ type: 'public-key', id, transports })),
      // Resident: the authenticator knows the account, so nobody types a user name. Verified: something that the person knows or is
      // comes on top of the device, which makes a passkey two factors (ASVS v5.0.0-6.3.3).
      authenticatorSelection: { residentKey: 'required', requireResidentKey: true, userVerification: 'required' },
      attestation: 'none',
    };
  }

  /**
   * Adds the passkey, and ends every other session: one that a thief has must not outlive a change of the factors (ASVS v5.0.0-7.4.3).
   * @throws Problem `malformed-request` for an answer that is not genuine; `conflict` for a passkey that is known, or one too many.
   */
  async register(principal: Principal, { name, credential }: RegisterPasskey): Promise<RegisteredPasskeyView> {
    const verified = await this.verify(principal, credential);
    const { stored, tokens } = await this.changes.enrol(principal, { factor: 'passkey', method: 'hwk' }, async (isFirst) => {
      if (await this.repository.isFull(principal)) throw new Problem('conflict', 'There are as many passkeys as an account may have. Delete one first.');
      const passkey = await this.repository.add(principal, name, verified);
      return { passkey, recoveryCodes: await this.recoveryCodes.createWith(principal.userId, isFirst) };
    });
    return { ...stored, tokens };
  }

  private async verify(principal: Principal, credential: NewCredential): Promise<VerifiedCredential> {
    const challenge = await this.relyingParty.spendChallenge(credential, principal);
    if (challenge === undefined) throw this.refuse('challenge');
    const verified = await this.relyingParty.verifyNew(credential, challenge);
    if (verified === undefined) throw this.refuse('attestation');
    return verified;
  }

  private refuse(reason: string): Problem {
    this.events.report({ action: 'input_validation_fail', outcome: 'denied', details: { factor: 'passkey', reason } });
    const fault = { pointer: '/credential', code: 'unusable-credential', message: 'credential is no fresh answer to the options, or not verified' };
    return new Problem('malformed-request', 'The passkey could not be registered. Ask for new options and try again.', { errors: [fault] });
  }
}
