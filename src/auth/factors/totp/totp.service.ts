import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../../../common/clock.js';
import type { Person } from '../../../common/access/principal.js';
import { Problem, unauthenticated } from '../../../common/http/problem.js';
import { CONFIG, type Config } from '../../../config/index.js';
import { UsersService } from '../../../users/index.js';
import type { SignedInView } from '../../sessions/sessions.dto.js';
import { factorRemoved } from '../factors.events.js';
import { FactorsService, type CodeFault } from '../factors.service.js';
import { declareSecondFactor } from '../second-factors.js';
import { describeSecret, newSecret, stepOf } from './authenticator-app.js';
import type { TotpConfirmedView, TotpEnrolmentView } from './totp.dto.js';
import { TotpRepository } from './totp.repository.js';

export const totp = declareSecondFactor({ name: 'totp', label: 'an authenticator app', method: 'otp' });

/** Codes of an authenticator app as second factor: RFC 6238. */
@Injectable()
export class TotpService {
  constructor(
    private readonly repository: TotpRepository,
    private readonly factors: FactorsService,
    private readonly users: UsersService,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /**
   * A secret that counts for nothing until a code of it has come. @throws Problem conflict while another one is in use.
   */
  async begin({ userId }: Person): Promise<TotpEnrolmentView> {
    const secret = newSecret();
    if (!(await this.repository.begin(userId, secret)))
      throw new Problem('conflict', 'An authenticator app is in use. Remove it first.');
    const account = await this.users.emailOf(userId);
    if (account === undefined) throw unauthenticated();
    const issuer = new URL(this.config.publicUrl).hostname;
    return { secret, ...(await describeSecret(secret, { issuer, account })) };
  }

  /** @throws Problem `unauthenticated` for a wrong code, or when nothing waits for one. */
  async confirm(principal: Person, code: string): Promise<TotpConfirmedView> {
    const waiting = await this.repository.findWaiting(principal.userId);
    const step = waiting === null ? undefined : stepOf(waiting.secret, code, this.clock.now());
    if (waiting === null || step === undefined)
      throw this.factors.deniedFirst(principal.userId, totp, waiting === null ? 'not-enrolled' : 'wrong');
    const { recoveryCodes, tokens } = await this.factors.enrol(principal, totp, async () => {
      if (!(await this.repository.confirm(waiting, step)))
        throw new Problem('conflict', 'The enrolment was finished or replaced meanwhile.');
    });
    return { recoveryCodes, tokens };
  }

  /** @throws Problem not-found when no app is in use. */
  async remove(principal: Person): Promise<void> {
    const event = { action: factorRemoved, details: { factor: totp.name } };
    await this.factors.change(principal, event, async () => {
      if (!(await this.repository.remove(principal.userId))) throw new Problem('not-found');
    });
  }

  /** Ends the wait for a second factor. @throws Problem `unauthenticated`, the same for a wrong and a used code. */
  verify(principal: Person, code: string): Promise<SignedInView> {
    return this.factors.prove(principal, totp, () => this.use(principal.userId, code));
  }

  private async use(userId: string, code: string): Promise<CodeFault | undefined> {
    const stored = await this.repository.findConfirmed(userId);
    if (stored === null) return 'not-enrolled';
    const step = stepOf(stored.secret, code, this.clock.now());
    if (step === undefined) return 'wrong';
    return (await this.repository.use(stored, step)) ? undefined : 'used';
  }
}
