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
    const isProven = await this.hasher.verify(account?.hash === resetDueHash ? undefined : account?.hash, password, { inUse, isKnown });
    if (account === undefined) throw this.refuse('unknown');
    const { userId, hash, updatedAt } = account;
    const fault = faultOf(account, isProven);
    if (fault !== undefined) throw this.refuse(fault, userId);
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

/** Why somebody with that account is not let in, for the audit trail; a password that is due a reset is none, whatever was typed. */
function faultOf({ hash, status, resetDueAt }: { hash: string; status: string; resetDueAt: Date | null }, isProven: boolean): string | undefined {
  if (hash === resetDueHash) return 'reset-due';
  if (!isProven) return 'password';
  if (status !== 'active') return 'disabled';
  return resetDueAt === null ? undefined : 'reset-due';
}
