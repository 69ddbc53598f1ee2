import { expect } from 'vitest';
import type { Answer } from '../../support/http.js';

/**
 * As many answers as the limit allows, and then 429 with the time to wait (practice 4.3). Tests of features that use it
 * are about a limit, and go with the limits.
 */
export function expectLimitAfter(allowed: number, status: number, answers: readonly Answer[]): void {
  const further = answers.length - allowed;
  expect(further).toBeGreaterThan(0);
  expect(answers.map((answer) => answer.status)).toEqual([
    ...Array.from({ length: allowed }, () => status),
    ...Array.from({ length: further }, () => 429),
  ]);
  for (const { headers } of answers.slice(allowed)) expect(Number(headers['retry-after'])).toBeGreaterThan(0);
}
