import { Inject, Injectable } from '@nestjs/common';
import { SecretField } from '../../common/fields.js';
import { Problem } from '../../common/problem.js';
import { CONFIG, type Config } from '../../config/index.js';
import { BreachedPasswords } from './breached-passwords.js';
import { PasswordStrength } from './password-strength.js';

/** SP 800-63B-4 s3.1.1.2: where the password is the only factor. */
const leastCharacters = 15;
/** Bounds the work of hashing; a passphrase of 64 fits four times (ASVS v5.0.0-6.2.9). */
const mostCharacters = 256;
const leastDistinctCharacters = 5;
const leastWordLength = 4;

/** A password that is chosen: 15 to 256 characters of any kind. */
export const NewPasswordField = () => SecretField({ min: leastCharacters, max: mostCharacters });

/** A password that is presented. What the policy demands today says nothing about one that was chosen earlier. */
export const PasswordField = () => SecretField({ min: 1, max: mostCharacters });

/** Whose password it is to be. */
export interface PasswordOwner {
  readonly email: string;
  readonly name: string;
}

/**
 * What a new password of the right length must be besides. There are no composition rules and nothing is normalised: any character
 * counts, byte for byte (ASVS v5.0.0-6.2.5, 6.2.8).
 */
@Injectable()
export class PasswordPolicy {
  constructor(
    private readonly strength: PasswordStrength,
    private readonly breached: BreachedPasswords,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /**
   * @param pointer the field of the body that holds the password.
   * @throws Problem `validation-failed`.
   */
  async check(password: string, { email, name }: PasswordOwner, pointer: string): Promise<void> {
    const refuse = (code: string, reason: string) =>
      new Problem('validation-failed', undefined, { errors: [{ pointer, code, message: `${pointer.slice(1)} ${reason}` }] });
    const forbidden = [...wordsOf(email.slice(0, email.lastIndexOf('@'))), ...this.serviceWords()];
    const lower = password.toLowerCase();
    // ASVS v5.0.0-6.2.11.
    if (forbidden.some((word) => lower.includes(word))) throw refuse('contains-context', 'must not contain your address or the name of the service');
    const fewCharacters = new Set(lower).size < leastDistinctCharacters;
    const known = [...forbidden, ...wordsOf(name), ...wordsOf(email)];
    if (fewCharacters || !(await this.strength.suffices(password, known))) throw refuse('too-common', 'is among those that attackers try first');
    if (await this.breached.has(password)) throw refuse('breached', 'is known from a breach of another service');
  }

  private serviceWords(): string[] {
    return new URL(this.config.publicUrl).hostname.split('.').slice(0, -1).flatMap(wordsOf);
  }
}

/** The text and its parts, in lower case, without those that stand in any text. */
function wordsOf(text: string): string[] {
  const lower = text.toLowerCase();
  return [lower, ...lower.split(/[^\p{L}\p{N}]+/u)].filter((word) => word.length >= leastWordLength);
}
