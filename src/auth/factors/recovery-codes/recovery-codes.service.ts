import { Injectable } from '@nestjs/common';
import type { ExposedText } from '../../../common/access/exposed-credentials.js';
import type { Person } from '../../../common/access/principal.js';
import { declareNotice, secureAccount } from '../../../common/events/notice-texts.js';
import { defineAction, SecurityEvents } from '../../../common/events/security-events.js';
import { Problem } from '../../../common/http/problem.js';
import type { SignedInView } from '../../sessions/sessions.dto.js';
import { SessionsService } from '../../sessions/sessions.service.js';
import { FactorsService, type CodeFault } from '../factors.service.js';
import { declareSecondFactor, SecondFactors } from '../second-factors.js';
import { hashOfCode, isSameHash, newRecoveryCode } from './recovery-code.js';
import { RecoveryCodeRepository } from './recovery-code.repository.js';

export const recoveryCode = declareSecondFactor({
  name: 'recovery-code',
  label: 'recovery codes',
  method: 'rcv',
  standsIn: true,
});

const codesCreated = declareNotice(
  defineAction('authn_recovery_codes_created'),
  secureAccount(
    'New recovery codes were made',
    'New recovery codes were made for your account. All older ones are worth nothing now.',
  ),
);

const codeUsed = declareNotice(
  defineAction('authn_recovery_code_used'),
  secureAccount('A recovery code was used', ({ details }) => {
    const left = details?.['left'];
    const rest = typeof left === 'number' ? `Of the others, ${left} are left.` : 'It does not work again.';
    return `A recovery code of your account was used. ${rest}`;
  }),
);

const codesPerPerson = 10;
const created = { action: codesCreated, details: { count: codesPerPerson } };

/** What gets a person in who has lost the other factor. */
@Injectable()
export class RecoveryCodesService {
  constructor(
    private readonly repository: RecoveryCodeRepository,
    private readonly factors: FactorsService,
    private readonly enrolled: SecondFactors,
    private readonly sessions: SessionsService,
    private readonly events: SecurityEvents,
  ) {}

  /**
   * Ten new codes, which nobody can read again; all earlier ones are worth nothing from now on.
   * @throws Problem conflict while there is no factor that they could stand in for.
   */
  create(principal: Person): Promise<string[]> {
    return this.factors.change(principal, created, async () => {
      if ((await this.enrolled.enrolledBy(principal.userId)).length === 0)
        throw new Problem('conflict', 'Enrol an authenticator app or a passkey first. Recovery codes come with it.');
      return this.replace(principal.userId);
    });
  }

  /** For whoever enrols a factor. @returns null when the person has codes already. */
  async createWith(userId: string, isFirstFactor: boolean): Promise<string[] | null> {
    if (!isFirstFactor && (await this.repository.countUnused(userId)) > 0) return null;
    await this.events.recordInTransaction({ ...created, outcome: 'success', target: { type: 'user', id: userId } });
    return this.replace(userId);
  }

  stateOf(userId: string) {
    return this.repository.stateOf(userId);
  }

  /**
   * Ends the wait for a second factor, once per code. @throws Problem `unauthenticated`, the same for a wrong and a
   * used code.
   */
  verify(principal: Person, code: string): Promise<SignedInView> {
    return this.factors.prove(principal, recoveryCode, () => this.use(principal.userId, code));
  }

  /**
   * Uses up codes that crossed the wire in clear (practice 1.3). A code is a sealed hash of one person: without a token
   * of theirs beside it nobody can tell whose it is. That is how the service itself is sent one.
   */
  async revokeExposed(codes: readonly string[], text: ExposedText): Promise<void> {
    for (const userId of await this.sessions.usersIn(text)) await this.revoke(userId, codes);
  }

  /** Uses up those of the person that are genuine. */
  private async revoke(userId: string, codes: readonly string[]): Promise<void> {
    const hashes = codes.map(hashOfCode);
    const found = (await this.repository.unused(userId)).filter(({ hash }) =>
      hashes.some((one) => isSameHash(one, hash)),
    );
    const event = {
      action: 'authn_credential_in_clear',
      outcome: 'denied',
      target: { type: 'user', id: userId },
      details: { reason: 'recovery-code' },
    } as const;
    for (const { id } of found)
      await this.repository.useInTransaction(userId, id, () => this.events.recordInTransaction(event));
  }

  private async use(userId: string, code: string): Promise<CodeFault | undefined> {
    const hash = hashOfCode(code);
    const found = (await this.repository.unused(userId)).find((unused) => isSameHash(unused.hash, hash));
    if (found === undefined) return 'wrong';
    if (!(await this.repository.use(userId, found.id))) return 'used';
    const left = await this.repository.countUnused(userId);
    await this.events.recordInTransaction({
      action: codeUsed,
      outcome: 'success',
      target: { type: 'user', id: userId },
      details: { left },
    });
    return undefined;
  }

  private async replace(userId: string): Promise<string[]> {
    const codes = Array.from({ length: codesPerPerson }, newRecoveryCode);
    await this.repository.replace(userId, codes.map(hashOfCode));
    return codes;
  }
}
