import { Injectable } from '@nestjs/common';
import type { Principal } from '../../common/principal.js';
import { Problem } from '../../common/problem.js';
import { RecoveryCodes } from '../recovery-codes/index.js';
import { FactorChanges, FactorProofs, type CodeFault, type SignedInView } from '../sessions/index.js';
import { AuthenticatorApp } from './authenticator-app.js';
import type { TotpConfirmedView, TotpEnrolmentView } from './totp.dto.js';
import { TotpRepository } from './totp.repository.js';

const factor = 'totp';
const method = 'otp';

/** Codes of an authenticator app as second factor: RFC 6238. */
@Injectable()
export class Totp {
  constructor(
    private readonly app: AuthenticatorApp,
    private readonly repository: TotpRepository,
    private readonly changes: FactorChanges,
    private readonly proofs: FactorProofs,
    private readonly recoveryCodes: RecoveryCodes,
  ) {}

  /** A secret that counts for nothing until a code of it has come. @throws Problem conflict while another one is in use. */
  async begin({ userId }: Principal): Promise<TotpEnrolmentView> {
    const secret = this.app.newSecret();
    if (!(await this.repository.begin(userId, secret))) throw new Problem('conflict', 'An authenticator app is in use. Remove it first.');
    return { secret, ...(await this.app.showing(secret, await this.repository.emailOf(userId))) };
  }

  /** @throws Problem `unauthenticated` for a wrong code, or when nothing waits for one. */
  async confirm(principal: Principal, code: string): Promise<TotpConfirmedView> {
    const waiting = await this.repository.findWaiting(principal.userId);
    const step = waiting === null ? undefined : this.app.stepOf(waiting.secret, code);
    if (waiting === null || step === undefined) throw this.proofs.refuseFirst(principal.userId, factor, waiting === null ? 'not-enrolled' : 'wrong');
    const { stored, tokens } = await this.changes.enrol(principal, { factor, method }, async (isFirst) => {
      if (!(await this.repository.confirm(waiting, step))) throw new Problem('conflict', 'The enrolment was finished or replaced meanwhile.');
      return this.recoveryCodes.createWith(principal.userId, isFirst);
    });
    return { recoveryCodes: stored, tokens };
  }

  /** @throws Problem not-found when no app is in use. */
  async remove(principal: Principal): Promise<void> {
    await this.changes.change(principal, { action: 'authn_factor_removed', details: { factor } }, async () => {
      if (!(await this.repository.remove(principal.userId))) throw new Problem('not-found');
    });
  }

  /** Ends the wait for a second factor. @throws Problem `unauthenticated`, the same for a wrong and a used code. */
  signIn(principal: Principal, code: string): Promise<SignedInView> {
    return this.proofs.prove(principal, { factor, method, use: () => this.use(principal.userId, code) });
  }

  private async use(userId: string, code: string): Promise<CodeFault | undefined> {
    const stored = await this.repository.findConfirmed(userId);
    if (stored === null) return 'not-enrolled';
    const step = this.app.stepOf(stored.secret, code);
    if (step === undefined) return 'wrong';
    return (await this.repository.use(stored, step)) ? undefined : 'used';
  }
}
