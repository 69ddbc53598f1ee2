import { Injectable } from '@nestjs/common';
import { Problem } from '../../common/problem.js';
import { SecurityEvents } from '../../common/security-events.js';
import { PasswordHasher } from '../../security/data-protection/index.js';
import { unauthenticated } from '../authentication/unauthenticated.js';
import { CredentialRepository, resetDueHash, type ProvenPassword } from './credential.repository.js';
import { PasswordPolicy, type PasswordOwner } from './password-policy.js';

/** Proof by password: checked at login, set at the end of a registration or a reset. */
@Injectable()
export class Passwords {
  constructor(
    private readonly credentials: CredentialRepository,
    private readonly hasher: PasswordHasher,
    private readonly policy: PasswordPolicy,
    private readonly events: SecurityEvents,
  ) {}

  /**
   * Whose password it is.
   * @param isKnown the device is known: a flood of strangers then does not keep it waiting.
   * @throws Problem `unauthenticated`, one and the same for an unknown address, a wrong password, a password that has to be reset and a
   *   disabled user.
   */
  async verify(email: string, password: string, isKnown = false): Promise<ProvenPassword> {
    const account = await this.credentials.findByEmail(email);
    const inUse = await this.credentials.parametersInUse();
    const isDue = account?.hash === resetDueHash;
    const proven = await this.hasher.verify(isDue ? undefined : account?.hash, password, { inUse, isKnown });
    if (account === undefined) throw this.refuse('unknown');
    const { userId, status, hash, resetDueAt, updatedAt } = account;
    if (isDue) throw this.refuse('reset-due', userId);
    if (!proven) throw this.refuse('password', userId);
    if (status !== 'active') throw this.refuse('disabled', userId);
    if (resetDueAt !== null) throw this.refuse('reset-due', userId);
    const proof = { userId, updatedAt };
    if (this.hasher.needsRehash(hash)) await this.credentials.upgrade(proof, await this.hasher.hash(password, true));
    return proof;
  }

  /**
   * To be called in the transaction that makes the session: whoever proved the old password while it was changed or reset must not end
   * up with a session that began after all others were ended.
   * @throws Problem `unauthenticated`
   */
  async demandUnchanged(proof: ProvenPassword): Promise<void> {
    if (!(await this.credentials.stillHolds(proof))) throw this.refuse('changed-meanwhile', proof.userId);
  }

  /** The proof that it is the user's present password; undefined when it is not. */
  async proveOwn(userId: string, password: string): Promise<ProvenPassword | undefined> {
    const credential = await this.credentials.find(userId);
    if (credential === null || credential.resetDueAt !== null || credential.hash === resetDueHash) return undefined;
    const inUse = await this.credentials.parametersInUse();
    return (await this.hasher.verify(credential.hash, password, { inUse })) ? { userId, updatedAt: credential.updatedAt } : undefined;
  }

  /** Whether the proof still counts. To be called in the transaction that relies on it; a change of the password waits for its end. */
  stillHolds(proof: ProvenPassword): Promise<boolean> {
    return this.credentials.stillHolds(proof);
  }

  /**
   * The hash of a password that keeps the policy.
   * @param pointer the field of the body that holds it.
   * @throws Problem `validation-failed`.
   */
  async hashNew(password: string, owner: PasswordOwner, pointer = '/password'): Promise<string> {
    await this.policy.check(password, owner, pointer);
    return this.hasher.hash(password);
  }

  /** @throws Problem `unauthenticated` when the user is gone. */
  async ownerOf(userId: string): Promise<PasswordOwner> {
    const owner = await this.credentials.findOwner(userId);
    if (owner === null) throw unauthenticated();
    return owner;
  }

  /** To be called in the transaction that makes the user. */
  create(userId: string, hash: string): Promise<void> {
    return this.credentials.create(userId, hash);
  }

  /** To be called in the transaction that ends the sessions. */
  replace(userId: string, hash: string): Promise<void> {
    return this.credentials.replace(userId, hash);
  }

  /** The event has the user's id where there is one, never the address: what was typed there may even be a password. */
  private refuse(reason: string, userId?: string): Problem {
    const target = userId === undefined ? undefined : { type: 'user', id: userId };
    this.events.report({ action: 'authn_login_fail', outcome: 'denied', target, details: { reason } });
    return unauthenticated('The e-mail address or the password is wrong.');
  }
}
