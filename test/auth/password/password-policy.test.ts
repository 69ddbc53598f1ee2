import { dictionary } from '@zxcvbn-ts/language-common';
import { describe, expect, it } from 'vitest';
import { commonPasswords } from '../../../src/auth/password/common-passwords.js';
import { isStrong, PasswordPolicy } from '../../../src/auth/password/password-policy.js';
import type { Problem } from '../../../src/common/http/problem.js';
import { readConfig } from '../../../src/config/index.js';
import { timing } from '../../support/timing.js';

const config = readConfig({ PUBLIC_URL: 'https://wonderland.example.org' });
const policy = new PasswordPolicy(config);
const owner = { email: 'alice.liddell@example.org', name: 'Alice Pleasance Liddell' };

/** undefined: the password is taken. */
const codeOf = (password: string) =>
  policy.check(password, owner, '/password').then(
    () => undefined,
    (problem: Problem) => problem.extras.errors?.[0]?.code,
  );

describe('password policy (SP 800-63B, ASVS V6.2)', () => {
  it.each([
    'correct staple battery mule',
    'allinlowercaseletters',
    '927461038527461',
    'пароль из многих слов',
    '🦊🐻🐼🐨🐯🦁🐮🐷🐸🐵🐔🐧🐦🐤🦆',
    ' spaces at both ends ',
    'nul \0 and tab \t inside',
  ])('takes "%s": no class of characters is demanded [ASVS 6.2.5]', async (password) =>
    expect(await codeOf(password)).toBeUndefined(),
  );

  it.each([
    'passwordpassword',
    'PASSWORDPASSWORD1',
    'P@ssw0rdP@ssw0rd',
    'qwertyuiop123456',
    'Correct Horse Battery Staple',
    'aaaaaaaaaaaaaaaaaaaa',
  ])('refuses "%s", which attackers try first [ASVS 6.2.4]', async (password) =>
    expect(await codeOf(password)).toBe('too-common'),
  );

  it.each(['abcdefghijklmnopqrs', '987654321098765', 'abc123abc123abc123'])(
    'refuses "%s", a row or a repetition [ASVS 6.2.4]',
    async (password) => expect(await codeOf(password)).toBe('too-common'),
  );

  it.each(['my name is Alice 1865', 'LIDDELL and her cat', 'down in wonderland', 'alice.liddell at home'])(
    'refuses "%s", which holds the address or the service [ASVS 6.2.11]',
    async (password) => expect(await codeOf(password)).toBe('contains-context'),
  );

  it('refuses a password that is the name of the person twice [ASVS 6.2.11]', async () =>
    expect(await codeOf('pleasancepleasance')).toBe('too-common'));

  it(
    'refuses 3000 common passwords that are long enough, or made long [ASVS 6.2.4]',
    { timeout: 180_000 },
    async () => {
      const digits = '12345678901234567890';
      const made = dictionary['passwords-common'].slice(0, 1500).flatMap((word) => {
        const doubled = word.repeat(Math.ceil(15 / word.length));
        return [doubled, `${word}${digits}`.slice(0, Math.max(15, word.length)), doubled.toUpperCase()];
      });
      const long = dictionary['passwords-common'].filter((word) => word.length >= 15);
      const candidates = new Set([...commonPasswords, ...long, ...made]);
      expect(candidates.size).toBeGreaterThan(3000);
      const taken: string[] = [];
      for (const candidate of candidates) if (await isStrong(candidate, [])) taken.push(candidate);
      expect(taken).toEqual([]);
    },
  );

  it('sends 256 characters that are worst for the estimator: well under a second [A4-4]', timing, async () => {
    await codeOf('loaded before the clock starts');
    const began = performance.now();
    for (const block of ['4@8({[<369&#!1/|0$5+7%2/', 'Xk9$', '1l|!', '20112012'])
      await codeOf(block.repeat(64).slice(0, 256));
    // Four of them; without the bound each takes seconds.
    expect(performance.now() - began).toBeLessThan(2_000);
  });
});
