import { Injectable } from '@nestjs/common';
import { KnownDevices } from '../../common/known-devices.js';
import type { Principal } from '../../common/principal.js';
import { Problem } from '../../common/problem.js';
import { SecurityEvents, type SecurityAction } from '../../common/security-events.js';
import { Database } from '../../database/index.js';
import { unauthenticated } from '../authentication/unauthenticated.js';
import type { SecondFactor } from './second-factors.js';
import { Sessions } from './sessions.js';
import { SignIns } from './sign-ins.js';
import type { SignedInView } from './tokens.view.js';

/** Why a code does not count: for the audit trail. The caller is not told. */
export type CodeFault = 'wrong' | 'used' | 'not-enrolled';

/** The same for every fault, and what to do about the one that its owner cannot see: a clock that is wrong. */
const refusedCode =
  'The code is wrong, too old or already used. Wait for the next one. If none is accepted, set the date and time of the phone to automatic.';

export interface FactorProof {
  readonly factor: SecondFactor;
  /** RFC 8176 value. */
  readonly method: string;
  /** Uses the code up, or tells what is wrong with it: in the transaction of the new session. */
  readonly use: () => Promise<CodeFault | undefined>;
}

/** The step from half a sign-in to a whole one, by a code. */
@Injectable()
export class FactorProofs {
  constructor(
    private readonly signIns: SignIns,
    private readonly sessions: Sessions,
    private readonly events: SecurityEvents,
    private readonly devices: KnownDevices,
    private readonly database: Database,
  ) {}

  /** @throws Problem `unauthenticated`, the same for every fault; `conflict` when nothing is due. */
  async prove(principal: Principal, { factor, method, use }: FactorProof): Promise<SignedInView> {
    const { userId, sessionId, factorDue, enrolmentDue, methods } = principal;
    // In a whole session a code by itself would pass for the full proof that @StepUp() demands (ASVS v5.0.0-7.5.1).
    if (!factorDue || enrolmentDue) throw new Problem('conflict', 'No second factor is due. To prove who you are again, sign in again.');
    const together = async () => {
      // A session that was ended since the guard saw it, by its owner, an administrator or another code, must not live on as a new one.
      if ((await this.sessions.end(sessionId, 'new-login')) === undefined) throw unauthenticated();
      const fault = await use();
      if (fault !== undefined) throw this.refuse(userId, factor, fault);
    };
    const email = await this.addressOf(userId);
    const tokens = await this.signIns.begin({ userId, methods: [...methods, method], together });
    // Now the device is known: the password alone did not make it so.
    return { ...tokens, deviceToken: this.devices.issue(email) };
  }

  private async addressOf(userId: string): Promise<string> {
    const user = await this.database.client.user.findUnique({ where: { id: userId }, select: { email: true } });
    if (user === null) throw unauthenticated();
    return user.email;
  }

  /** The same for a code that should have confirmed a factor of one's own. It is none yet, so nobody is mailed that one was attacked. */
  refuseFirst(userId: string, factor: SecondFactor, reason: CodeFault): Problem {
    return this.refuseAs('input_validation_fail', userId, { factor, reason });
  }

  /** One answer for a code that is wrong, used or of nobody: whoever guesses learns nothing (abuse case A2-6). */
  private refuse(userId: string, factor: SecondFactor, reason: CodeFault): Problem {
    return this.refuseAs('authn_factor_fail', userId, { factor, reason });
  }

  private refuseAs(action: SecurityAction, userId: string, details: { factor: SecondFactor; reason: CodeFault }): Problem {
    this.events.report({ action, outcome: 'denied', target: { type: 'user', id: userId }, details });
    return unauthenticated(refusedCode);
  }
}
