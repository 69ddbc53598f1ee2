import { Injectable } from '@nestjs/common';
import type { Person } from '../../common/access/principal.js';
import { declareNotice, secureAccount } from '../../common/events/notice-texts.js';
import { Problem, unauthenticated } from '../../common/http/problem.js';
import { SecurityEvents } from '../../common/events/security-events.js';
import { PasswordHasher } from '../../security/data-protection/index.js';
import { OneTimeTokens } from '../one-time-tokens/one-time-tokens.service.js';
import { SessionsService } from '../sessions/sessions.service.js';
import { CredentialRepository, resetDueHash, type ProvenPassword } from './credential.repository.js';
import { PasswordPolicy, type PasswordOwner } from './password-policy.js';
import type { ChangePassword } from './password.dto.js';

declareNotice(
  'authn_password_change',
  secureAccount(
    'Your password was changed',
    'The password of your account was changed, and all other sessions were ended.',
  ),
);

/** Proof by password: checked at login, set at the end of a registration or a reset. */
@Injectable()
export class PasswordsService {
  constructor(
    private readonly credentials: CredentialRepository,
    private readonly hasher: PasswordHasher,
    private readonly policy: PasswordPolicy,
    private readonly tokens: OneTimeTokens,
    private readonly sessions: SessionsService,
    private readonly events: SecurityEvents,
  ) {}

  /**
   * Whose password it is.
   * @param isKnown the device is known: a flood of strangers then does not keep it waiting.
   * @throws Problem `unauthenticated`, one and the same for an unknown address, a wrong password, a password that has
   * to be reset and a
   *   disabled user.
   */
  async verify(email: string, password: string, isKnown = false): Promise<ProvenPassword> {
    const account = await this.credentials.findByEmail(email);
    const inUse = await this.credentials.parametersInUse();
    const isProven = await this.hasher.verify(account?.hash === resetDueHash ? undefined : account?.hash, password, {
      inUse,
      isKnown,
    });
    if (account === undefined) throw this.denied('unknown');
    const { userId, hash, updatedAt } = account;
    const fault = faultOf(account, isProven);
    if (fault !== undefined) throw this.denied(fault, userId);
    const proof = { userId, updatedAt };
    if (this.hasher.needsRehash(hash)) await this.credentials.upgrade(proof, await this.hasher.hash(password, true));
    return proof;
  }

  /**
   * To be called in the transaction that makes the session: whoever proved the old password while it was changed or
   * reset must not end up with a session that began after all others were ended.
   * @throws Problem `unauthenticated`
   */
  async assertUnchanged(proof: ProvenPassword): Promise<void> {
    if (!(await this.credentials.stillHolds(proof))) throw this.denied('changed-meanwhile', proof.userId);
  }

  /** The proof that it is the user's present password; undefined when it is not. */
  private async proveOwn(userId: string, password: string): Promise<ProvenPassword | undefined> {
    const credential = await this.credentials.find(userId);
    if (credential === null || credential.resetDueAt !== null || credential.hash === resetDueHash) return undefined;
    const inUse = await this.credentials.parametersInUse();
    return (await this.hasher.verify(credential.hash, password, { inUse }))
      ? { userId, updatedAt: credential.updatedAt }
      : undefined;
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
  private async ownerOf(userId: string): Promise<PasswordOwner> {
    const owner = await this.credentials.findOwner(userId);
    if (owner === null) throw unauthenticated();
    return owner;
  }

  /**
   * A stolen session must not become a stolen account: the present password is asked once more (ASVS v5.0.0-6.2.3).
   * Ends all other sessions of the caller (ASVS v5.0.0-7.4.3).
   * @throws Problem `validation-failed`: 401 would tell clients that their access token is the fault.
   */
  async change({ userId, sessionId }: Person, { oldPassword, newPassword }: ChangePassword): Promise<void> {
    const proof = await this.proveOwn(userId, oldPassword);
    if (proof === undefined) {
      const target = { type: 'user', id: userId };
      this.events.reportLater({
        action: 'authn_password_change',
        outcome: 'denied',
        target,
        details: { reason: 'password' },
      });
      throw wrongPassword();
    }
    const hash = await this.hashNew(newPassword, await this.ownerOf(userId), '/newPassword');
    await this.sessions.changeCredential({ userId, action: 'authn_password_change', except: sessionId }, async () => {
      // Hashing takes a moment, in which the owner may have reset the password that somebody else knows.
      if (!(await this.credentials.stillHolds(proof))) throw wrongPassword();
      await this.replace(userId, hash);
      return true;
    });
  }

  /** To be called in the transaction that makes the user. */
  create(userId: string, hash: string): Promise<void> {
    return this.credentials.create(userId, hash);
  }

  /**
   * To be called in the transaction that ends the sessions. Ends what was begun to get into the account without the
   * password: resets, and changes of the address.
   */
  async replace(userId: string, hash: string): Promise<void> {
    await this.credentials.replace(userId, hash);
    await this.tokens.deleteOf(userId);
  }

  /** The event has the user's id where there is one, never the address: what was typed there may even be a password. */
  private denied(reason: string, userId?: string): Problem {
    const target = userId === undefined ? undefined : { type: 'user', id: userId };
    this.events.reportLater({ action: 'authn_login_fail', outcome: 'denied', target, details: { reason } });
    return unauthenticated('The e-mail address or the password is wrong.');
  }
}

/**
 * Why somebody with that account is not let in, for the audit trail; a password that is due a reset is none, whatever
 * was typed.
 */
function faultOf(
  { hash, status, resetDueAt }: { hash: string; status: string; resetDueAt: Date | null },
  isProven: boolean,
): string | undefined {
  if (hash === resetDueHash) return 'reset-due';
  if (!isProven) return 'password';
  if (status !== 'active') return 'disabled';
  return resetDueAt === null ? undefined : 'reset-due';
}

const wrongPassword = () =>
  new Problem('validation-failed', undefined, {
    errors: [{ pointer: '/oldPassword', code: 'wrong-password', message: 'oldPassword is not your present password' }],
  });
