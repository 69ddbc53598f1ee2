import { Inject, Injectable } from '@nestjs/common';
import { AuthoritySeals, type Standing } from '../../common/authority-seals.js';
import { CONFIG, type Config } from '../../config/index.js';
import { unauthenticated } from '../authentication/unauthenticated.js';

/** In the order in which they are offered: the way back in comes last. */
const secondFactors = ['totp', 'passkey', 'recovery-code'] as const;

/** How a person proves the second factor. */
export type SecondFactor = (typeof secondFactors)[number];

/** What is due after the first factor: one of these proofs, or that a factor is enrolled at all. */
export type DueFactor = SecondFactor | 'enrolment';

type Enrolment = (userId: string) => Promise<boolean>;

/** RFC 8176 values of which one in a sign-in means that a factor beyond the password was proved, one that is enrolled therefore. */
const proofs: readonly string[] = ['otp', 'hwk'];

/** Recovery codes stand in for another one. */
export const standsAlone = (factor: SecondFactor): boolean => factor !== 'recovery-code';

/** Which second factors a person has. Each method beside this folder adds itself, and can be taken away with its line. */
@Injectable()
export class SecondFactors {
  private readonly enrolments = new Map<SecondFactor, Enrolment>();

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly seals: AuthoritySeals,
  ) {}

  /** @param isEnrolled is asked at each sign-in; when it throws, the sign-in fails. */
  add(factor: SecondFactor, isEnrolled: Enrolment): void {
    this.enrolments.set(factor, isEnrolled);
  }

  /** Recovery codes stand in for another factor that is lost: alone they are none, and nothing is demanded because of them. */
  async enrolledBy(userId: string): Promise<SecondFactor[]> {
    const enrolled: SecondFactor[] = [];
    for (const factor of secondFactors) if (await this.enrolments.get(factor)?.(userId)) enrolled.push(factor);
    return enrolled.some(standsAlone) ? enrolled : [];
  }

  /**
   * The same, compared with what the sealed account says. To be asked under the person's lock.
   * @throws Problem unauthenticated when somebody deleted, planted or confirmed a factor past the service: who knows the password must not
   *   get around the other factor by one DELETE.
   */
  async enrolledAsSealed({ id, secondFactors: sealed }: Standing): Promise<SecondFactor[]> {
    const enrolled = await this.enrolledBy(id);
    const strong = enrolled.filter(standsAlone);
    if (strong.length === sealed.length && strong.every((factor) => sealed.includes(factor))) return enrolled;
    this.seals.reportMissingFactor(id);
    throw unauthenticated();
  }

  /** What is due after the methods that were proved; empty when nothing is. */
  async dueAfter(standing: Standing, methods: readonly string[]): Promise<DueFactor[]> {
    const enrolled = await this.enrolledAsSealed(standing);
    if (methods.some((method) => proofs.includes(method))) return [];
    if (enrolled.length === 0) return this.config.secondFactorRequired ? ['enrolment'] : [];
    return methods.includes('rcv') ? [] : enrolled;
  }
}
