import { Inject, Injectable } from '@nestjs/common';
import type { ZxcvbnFactory } from '@zxcvbn-ts/core';
import { SecretField } from '../../common/http/fields.js';
import { Problem } from '../../common/http/problem.js';
import { CONFIG, type Config } from '../../config/index.js';
import { commonPasswords } from './common-passwords.js';

/** SP 800-63B-4 s3.1.1.2: where the password is the only factor. */
const minCharacters = 15;
/** Bounds the work of hashing; a passphrase of 64 fits four times (ASVS v5.0.0-6.2.9). */
const maxCharacters = 256;
const minDistinctCharacters = 5;
const minWordLength = 4;
/** "Safely unguessable: moderate protection from an offline attack": more than 10^8 guesses. */
const minScore = 3;
/**
 * zxcvbn's work grows faster than the text: 64 characters of the worst kind take 20 ms, 256 take seconds, and the loop
 * stands still meanwhile. The beginning alone has to be strong enough.
 */
const judgedCharacters = 64;
/** Readings of one text as leet (4 for a); the default of 100 multiplies the work by ten. */
const maxLeetReadings = 10;

/** A password that is chosen: 15 to 256 characters of any kind. */
export const NewPasswordField = () => SecretField({ min: minCharacters, max: maxCharacters });

/** A password that is presented. What the policy demands today says nothing about one that was chosen earlier. */
export const PasswordField = () => SecretField({ min: 1, max: maxCharacters });

/** Whose password it is to be. */
export interface PasswordOwner {
  readonly email: string;
  readonly name: string;
}

/** A reason to refuse a password. */
export interface PasswordRule {
  readonly code: string;
  /** Goes on after the name of the field. */
  readonly reason: string;
  applies(password: string): Promise<boolean>;
}

/**
 * What a new password of the right length must be besides. There are no composition rules and nothing is normalised:
 * any character counts, byte for byte (ASVS v5.0.0-6.2.5, 6.2.8).
 */
@Injectable()
export class PasswordPolicy {
  private readonly further: PasswordRule[] = [];

  constructor(@Inject(CONFIG) private readonly config: Config) {}

  /**
   * @param pointer the field of the body that holds the password.
   * @throws Problem `validation-failed`.
   */
  async check(password: string, { email, name }: PasswordOwner, pointer: string): Promise<void> {
    const denied = (code: string, reason: string) =>
      new Problem('validation-failed', undefined, {
        errors: [{ pointer, code, message: `${pointer.slice(1)} ${reason}` }],
      });
    const forbidden = [...wordsOf(email.slice(0, email.lastIndexOf('@'))), ...this.serviceWords()];
    const lower = password.toLowerCase();
    // ASVS v5.0.0-6.2.11.
    if (forbidden.some((word) => lower.includes(word)))
      throw denied('contains-context', 'must not contain your address or the name of the service');
    const fewCharacters = new Set(lower).size < minDistinctCharacters;
    const known = [...forbidden, ...wordsOf(name), ...wordsOf(email)];
    if (fewCharacters || !(await isStrong(password, known)))
      throw denied('too-common', 'is among those that attackers try first');
    for (const { code, reason, applies } of this.further) if (await applies(password)) throw denied(code, reason);
  }

  /** Asked last, when the password has passed all other rules. */
  addRule(rule: PasswordRule): void {
    this.further.push(rule);
  }

  private serviceWords(): string[] {
    return new URL(this.config.publicUrl).hostname.split('.').slice(0, -1).flatMap(wordsOf);
  }
}

/** The text and its parts, in lower case, without those that stand in any text. */
function wordsOf(text: string): string[] {
  const lower = text.toLowerCase();
  return [lower, ...lower.split(/[^\p{L}\p{N}]+/u)].filter((word) => word.length >= minWordLength);
}

let estimator: Promise<ZxcvbnFactory> | undefined;

/**
 * zxcvbn: guesses by the rules that cracking programs use. Loaded when the first password is chosen: that takes a third
 * of a second.
 * @param known words that an attacker tries first for this person.
 */
export async function isStrong(password: string, known: readonly string[]): Promise<boolean> {
  return (await (estimator ??= loadEstimator())).check(password, [...known]).score >= minScore;
}

async function loadEstimator(): Promise<ZxcvbnFactory> {
  const [{ ZxcvbnFactory: Factory }, common, english] = await Promise.all([
    import('@zxcvbn-ts/core'),
    import('@zxcvbn-ts/language-common'),
    import('@zxcvbn-ts/language-en'),
  ]);
  const { 'commonWords-en': words, 'firstnames-en': names } = english.dictionary;
  return new Factory({
    dictionary: { ...common.dictionary, words, names, long: [...commonPasswords] },
    graphs: common.adjacencyGraphs,
    maxLength: judgedCharacters,
    l33tMaxSubstitutions: maxLeetReadings,
  });
}
