import { availableParallelism } from 'node:os';
import { randomBytes } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { argon2id, hash, verify } from 'argon2';
import { neighbourhoodOf } from '../../common/http/network.js';
import { requestContext } from '../../common/http/request-context.js';
import { CONFIG, type Config } from '../../config/index.js';
import { Gate } from './gate.js';

// libuv has four threads for hashing, files and DNS: one always stays free, or file and DNS calls wait for seconds. And
// one core stays free: a burst of logins must not slow down those who are signed in.
const maxAtOnce = Math.max(1, Math.min(availableParallelism() - 1, 3));
// Known devices have as long a line of their own. No group of neighbours has more than a quarter of either.
const maxWaiting = 32;
const maxWaitingPerGroup = 8;
const hashLength = 32;
const parallelism = 1;
// The argon2 package writes the parameters as m, p, t; RFC 9106 has m, t, p. Both are read.
const phcFormat =
  /^\$argon2id\$v=19\$m=(?<memory>\d+)(?:,p=(?<lanes>\d+))?,t=(?<passes>\d+)(?:,p=(?<lanesLast>\d+))?\$/;

/**
 * Passwords as argon2id hashes in PHC format (RFC 9106; ASVS v5.0.0-11.4.2), at least OWASP's 19 MiB and two passes.
 * The hash column is an encrypted field: that is the pepper, and it keeps a hash from being copied to another account.
 */
@Injectable()
export class PasswordHasher {
  // One argon2 computation takes a core and 64 MiB: unbounded, a burst of logins stops the service (abuse case A4-4).
  private readonly gate = new Gate(maxAtOnce, maxWaiting, maxWaitingPerGroup);
  private readonly standIns = new Map<string, string>();

  constructor(@Inject(CONFIG) private readonly config: Config) {}

  get load(): Gate['load'] {
    return this.gate.load;
  }

  /**
   * @param isKnown the caller has shown who they are, and has a line of their own.
   * @throws Problem `unavailable` when too many hashes are under way.
   */
  hash(password: string, isKnown = isSignedIn()): Promise<string> {
    const { argon2MemoryKib: memoryCost, argon2Passes: timeCost } = this.config;
    return this.enter(isKnown, () => hash(password, { type: argon2id, memoryCost, timeCost, parallelism, hashLength }));
  }

  /**
   * False for a wrong password, and where there is no hash. In any case it hashes once with each set of parameters that
   * is in use, with stand-ins where the hash has others: else the time told who has an account, and who has not been
   * here since the cost was changed (ASVS v5.0.0-6.3.8).
   * @param inUse what `parametersOf()` said of all hashes that are stored.
   * @throws Error for a hash that is no argon2id hash; Problem `unavailable`.
   */
  async verify(
    hashed: string | undefined,
    password: string,
    { inUse, isKnown = isSignedIn() }: Verification,
  ): Promise<boolean> {
    const own = hashed === undefined ? undefined : this.parametersOf(hashed);
    const sets = new Set([...inUse, ...(own === undefined ? [] : [own])]);
    if (sets.size === 0) sets.add(this.present);
    return this.enter(isKnown, async () => {
      let isRight = false;
      for (const set of [...sets].toSorted()) {
        const matches = await this.compute(set === own ? (hashed ?? '') : this.standIn(set), password);
        if (set === own) isRight = matches;
      }
      return isRight;
    });
  }

  /** What a hash was made with: `m=65536,t=3,p=1`. @throws Error for a hash that is no argon2id hash. */
  parametersOf(hashed: string): string {
    const { memory, passes, lanes, lanesLast } = phcFormat.exec(hashed)?.groups ?? {};
    if (memory === undefined) throw new Error('a stored password hash is not argon2id in PHC format');
    return `m=${memory},t=${passes},p=${lanes ?? lanesLast ?? 1}`;
  }

  /** True when the hash was made with less memory or fewer passes than configured now. */
  needsRehash(hashed: string): boolean {
    const { memory, passes } = phcFormat.exec(hashed)?.groups ?? {};
    return !(Number(memory) >= this.config.argon2MemoryKib && Number(passes) >= this.config.argon2Passes);
  }

  /** The work itself; tests count it. */
  protected compute(hashed: string, password: string): Promise<boolean> {
    return verify(hashed, password);
  }

  private enter<T>(isKnown: boolean, work: () => Promise<T>): Promise<T> {
    return this.gate.run({ group: neighbourhoodOf(requestContext()?.address ?? 'none'), isKnown }, work);
  }

  private get present(): string {
    return `m=${this.config.argon2MemoryKib},t=${this.config.argon2Passes},p=${parallelism}`;
  }

  /** A digest drawn at random: as dear to verify as any other, and no password is known to anybody that fits it. */
  private standIn(set: string): string {
    const known = this.standIns.get(set);
    if (known !== undefined) return known;
    const [salt, digest] = [16, hashLength].map((length) => randomBytes(length).toString('base64').replace(/=+$/, ''));
    const made = `$argon2id$v=19$${set}$${salt}$${digest}`;
    this.standIns.set(set, made);
    return made;
  }
}

/** What beside the password decides how it is verified. */
export interface Verification {
  readonly inUse: readonly string[];
  readonly isKnown?: boolean;
}

const isSignedIn = (): boolean => requestContext()?.principal !== undefined;
