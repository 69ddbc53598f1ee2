import { Inject, Injectable } from '@nestjs/common';
import { AuthoritySeals, type AccountStatus } from '../../common/access/authority-seals.js';
import { unauthenticated } from '../../common/http/problem.js';
import { CONFIG, type Config } from '../../config/index.js';

/** How people prove more than the password. */
export interface SecondFactor {
  /** As the API says it: `totp`. */
  readonly name: string;
  /** As people are told of it: `an authenticator app`. */
  readonly label: string;
  /** The RFC 8176 value of a sign-in in which it was proved. */
  readonly method: string;
  /** It stands in for another factor that is lost. Alone it is none, and nothing is demanded because of it. */
  readonly standsIn?: true;
}

/** What is due after the first factor: the name of one to be proved, or that one is enrolled at all. */
export type DueFactor = string;

const enrolment = 'enrolment';
const declared: SecondFactor[] = [];

/** All that can be due, for the description of the API. */
export const dueFactors: DueFactor[] = [enrolment];

/** Each method declares its factor once, where its code is. @public: every user of it can be removed. */
export function declareSecondFactor(factor: SecondFactor): SecondFactor {
  declared.push(factor);
  dueFactors.splice(-1, 0, factor.name);
  return factor;
}

/** For people. @public: every user of it can be removed. */
export const labelOfFactor = (name: string): string | undefined =>
  declared.find((factor) => factor.name === name)?.label;

type Enrolment = (userId: string) => Promise<boolean>;

/** Which second factors, and which ways to sign in, a person has. Each method registers itself. */
@Injectable()
export class SecondFactors {
  private readonly enrolments = new Map<SecondFactor, Enrolment>();
  private readonly ways = new Map<string, Enrolment>();

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly seals: AuthoritySeals,
  ) {}

  /** Each method that begins sessions by itself says who has it. */
  addWay(name: string, has: Enrolment): void {
    this.ways.set(name, has);
  }

  /** Under the account's lock: whether the person could still sign in without that way. */
  async hasWayBeside(name: string, userId: string): Promise<boolean> {
    for (const [other, has] of this.ways) if (other !== name && (await has(userId))) return true;
    return false;
  }

  /** @param isEnrolled is asked at each sign-in; when it throws, the sign-in fails. */
  add(factor: SecondFactor, isEnrolled: Enrolment): void {
    this.enrolments.set(factor, isEnrolled);
  }

  /** In the order in which they are offered: the way back in comes last. Empty without one that stands alone. */
  async enrolledBy(userId: string): Promise<SecondFactor[]> {
    const enrolled: SecondFactor[] = [];
    for (const [factor, isEnrolled] of this.enrolments) if (await isEnrolled(userId)) enrolled.push(factor);
    const strong = enrolled.filter(standsAlone);
    return strong.length === 0 ? [] : [...strong, ...enrolled.filter((factor) => !standsAlone(factor))];
  }

  /** The names of those that have to be there: what the account is sealed with. */
  async namesToSeal(userId: string): Promise<string[]> {
    return (await this.enrolledBy(userId)).filter(standsAlone).map(({ name }) => name);
  }

  /**
   * The same as `enrolledBy`, compared with what the sealed account says. To be asked under the account's lock.
   * @throws Problem unauthenticated when somebody deleted, planted or confirmed a factor past the service: who knows
   * the password must not get around the other factor by one DELETE.
   */
  async enrolledAsSealed({ id, secondFactors: sealed }: AccountStatus): Promise<SecondFactor[]> {
    const enrolled = await this.enrolledBy(id);
    const strong = enrolled.filter(standsAlone);
    if (strong.length === sealed.length && strong.every(({ name }) => sealed.includes(name))) return enrolled;
    this.seals.reportMissingFactor(id);
    throw unauthenticated();
  }

  /** What is due after the methods that were proved; empty when nothing is. */
  async dueAfter(account: AccountStatus, methods: readonly string[]): Promise<DueFactor[]> {
    const enrolled = await this.enrolledAsSealed(account);
    const proved = declared.filter(({ method }) => methods.includes(method));
    if (proved.some(standsAlone)) return [];
    if (enrolled.length === 0) return this.config.secondFactor === 'required' ? [enrolment] : [];
    return proved.length > 0 ? [] : enrolled.map(({ name }) => name);
  }
}

const standsAlone = ({ standsIn }: SecondFactor): boolean => standsIn !== true;
