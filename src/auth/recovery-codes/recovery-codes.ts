import { Injectable } from '@nestjs/common';
import type { Principal } from '../../common/principal.js';
import { Problem } from '../../common/problem.js';
import { SecurityEvents } from '../../common/security-events.js';
import { FactorChanges, FactorProofs, SecondFactors, type CodeFault, type SignedInView } from '../sessions/index.js';
import { hashOfCode, isSameHash, newRecoveryCode } from './recovery-code.js';
import { RecoveryCodeRepository } from './recovery-code.repository.js';

const codesPerPerson = 10;
const created = { action: 'authn_recovery_codes_created', details: { count: codesPerPerson } } as const;

/** What gets a person in who has lost the other factor. */
@Injectable()
export class RecoveryCodes {
  constructor(
    private readonly repository: RecoveryCodeRepository,
    private readonly changes: FactorChanges,
    private readonly proofs: FactorProofs,
    private readonly factors: SecondFactors,
    private readonly events: SecurityEvents,
  ) {}

  /**
   * Ten new codes, which nobody can read again; all earlier ones are worth nothing from now on.
   * @throws Problem conflict while there is no factor that they could stand in for.
   */
  create(principal: Principal): Promise<string[]> {
    return this.changes.change(principal, created, async () => {
      const enrolled = await this.factors.enrolledBy(principal.userId);
      if (enrolled.length === 0) throw new Problem('conflict', 'Enrol an authenticator app or a passkey first. Recovery codes come with it.');
      return this.replace(principal.userId);
    });
  }

  /**
   * For whoever enrols a factor, in that transaction. With the first one all codes of before go: whoever knows the password may have made
   * them, to get around the factor that comes now (abuse case A2-6).
   * @returns null when the person has codes already.
   */
  async createWith(userId: string, isFirstFactor: boolean): Promise<string[] | null> {
    if (!isFirstFactor && (await this.repository.countUnused(userId)) > 0) return null;
    await this.events.record({ ...created, outcome: 'success', target: { type: 'user', id: userId } });
    return this.replace(userId);
  }

  stateOf(userId: string) {
    return this.repository.stateOf(userId);
  }

  /** Ends the wait for a second factor, once per code. @throws Problem `unauthenticated`, the same for a wrong and a used code. */
  signIn(principal: Principal, code: string): Promise<SignedInView> {
    return this.proofs.prove(principal, { factor: 'recovery-code', method: 'rcv', use: () => this.use(principal.userId, code) });
  }

  /** Uses up those of the person that are genuine. */
  async revoke(userId: string, codes: readonly string[]): Promise<void> {
    const hashes = codes.map(hashOfCode);
    const found = (await this.repository.unused(userId)).filter(({ hash }) => hashes.some((one) => isSameHash(one, hash)));
    const event = { action: 'authn_credential_in_clear', outcome: 'denied', target: { type: 'user', id: userId }, details: { reason: 'recovery-code' } } as const;
    for (const { id } of found) await this.repository.useTogether(userId, id, () => this.events.record(event));
  }

  private async use(userId: string, code: string): Promise<CodeFault | undefined> {
    const hash = hashOfCode(code);
    const found = (await this.repository.unused(userId)).find((unused) => isSameHash(unused.hash, hash));
    if (found === undefined) return 'wrong';
    if (!(await this.repository.use(userId, found.id))) return 'used';
    const left = await this.repository.countUnused(userId);
    await this.events.record({ action: 'authn_recovery_code_used', outcome: 'success', target: { type: 'user', id: userId }, details: { left } });
    return undefined;
  }

  private async replace(userId: string): Promise<string[]> {
    const codes = Array.from({ length: codesPerPerson }, newRecoveryCode);
    await this.repository.replace(userId, codes.map(hashOfCode));
    return codes;
  }
}
