import { availableParallelism } from 'node:os';
import { randomBytes } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { argon2id, hash, verify } from 'argon2';
import { CONFIG, type Config } from '../../config/index.js';
import { Gate } from './gate.js';

// libuv has four threads for hashing, files and DNS: one always stays free, or file and DNS calls wait for seconds. And one core
// stays free: a burst of logins must not slow down those who are signed in (npm run bench:logins).
const mostAtOnce = Math.max(1, Math.min(availableParallelism() - 1, 3));
const queueLength = 32;
const hashLength = 32;
const parallelism = 1;
// The argon2 package writes the parameters as m, p, t; RFC 9106 has m, t, p. Both are read.
const phcFormat = /^\$argon2id\$v=19\$m=(?<memory>\d+)(?:,p=\d+)?,t=(?<passes>\d+)(?:,p=\d+)?\$/;

/**
 * Passwords as argon2id hashes in PHC format (RFC 9106; ASVS v5.0.0-11.4.2), at least OWASP's 19 MiB and two passes. The
 * hash column is an encrypted field: that is the pepper, and it keeps a hash from being copied to another account.
 */
@Injectable()
export class PasswordHasher {
  // One argon2 computation takes a core and 64 MiB: unbounded, a burst of logins stops the service (abuse case A4-4).
  private readonly gate = new Gate(mostAtOnce, queueLength);
  private readonly unknown: string;

  constructor(@Inject(CONFIG) private readonly config: Config) {
    this.unknown = this.impossibleHash();
  }

  /** @throws Problem `unavailable` when too many hashes are under way. */
  hash(password: string): Promise<string> {
    const { argon2MemoryKib: memoryCost, argon2Passes: timeCost } = this.config;
    return this.gate.run(() => hash(password, { type: argon2id, memoryCost, timeCost, parallelism, hashLength }));
  }

  /** False for a wrong password. @throws Error for a hash that is no argon2id hash; Problem `unavailable`. */
  async verify(hashed: string, password: string): Promise<boolean> {
    if (!phcFormat.test(hashed)) throw new Error('a stored password hash is not argon2id in PHC format');
    return this.gate.run(() => verify(hashed, password));
  }

  /** Hash anyway: timing must not tell which accounts exist (ASVS v5.0.0-6.3.8). */
  async verifyUnknown(password: string): Promise<false> {
    await this.verify(this.unknown, password);
    return false;
  }

  /** True when the hash was made with less memory or fewer passes than configured now. */
  needsRehash(hashed: string): boolean {
    const { memory, passes } = phcFormat.exec(hashed)?.groups ?? {};
    return !(Number(memory) >= this.config.argon2MemoryKib && Number(passes) >= this.config.argon2Passes);
  }

  /** A digest drawn at random: as dear to verify as any other, and no password is known to anybody that fits it. */
  private impossibleHash(): string {
    const { argon2MemoryKib, argon2Passes } = this.config;
    const [salt, digest] = [16, hashLength].map((length) => randomBytes(length).toString('base64').replace(/=+$/, ''));
    return `$argon2id$v=19$m=${argon2MemoryKib},t=${argon2Passes},p=${parallelism}$${salt}$${digest}`;
  }
}
