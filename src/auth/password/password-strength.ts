import { Injectable } from '@nestjs/common';
import type { ZxcvbnFactory } from '@zxcvbn-ts/core';
import { commonPasswords } from './common-passwords.js';

/** "Safely unguessable: moderate protection from an offline attack": more than 10^8 guesses. */
const leastScore = 3;
/**
 * zxcvbn's work grows faster than the text: 64 characters of the worst kind take 20 ms, 256 take seconds, and the loop stands still
 * meanwhile. The beginning alone has to be strong enough.
 */
const judgedCharacters = 64;
/** Readings of one text as leet (4 for a); the default of 100 multiplies the work by ten. */
const mostLeetReadings = 10;

/** zxcvbn: guesses by the rules that cracking programs use. Loaded when the first password is chosen: that takes a third of a second. */
@Injectable()
export class PasswordStrength {
  private estimator: Promise<ZxcvbnFactory> | undefined;

  /** @param known words that an attacker tries first for this person. */
  async suffices(password: string, known: readonly string[]): Promise<boolean> {
    const estimator = await (this.estimator ??= load());
    return estimator.check(password, [...known]).score >= leastScore;
  }
}

async function load(): Promise<ZxcvbnFactory> {
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
    l33tMaxSubstitutions: mostLeetReadings,
  });
}
