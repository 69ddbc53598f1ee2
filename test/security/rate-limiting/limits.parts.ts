import { globSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Limit } from '../../../src/common/http/rate-limit.js';
import type { Actor } from '../../support/actors.js';
import type { TestApp } from '../../support/app.js';
import type { Answer } from '../../support/http.js';

// The limits of a feature's routes are decided in `limits.ts` in its folder of tests: whoever removes a feature removes
// them with it.

export interface Caller {
  readonly app: TestApp;
  readonly actor: Actor;
  readonly deviceToken: string;
}

/** A request that the limit counts; `index` makes it one about another address. */
export type Send = (caller: Caller, from: string, index: number) => Promise<Pick<Answer, 'status' | 'headers'>>;

/** A limit as somebody has decided it, and a path on which it counts. docs/practices/rate-limiting.md has it too. */
export type LimitRow = readonly [
  name: string,
  requests: number,
  windowSeconds: number,
  per: Limit['per'],
  from: Limit['from'],
  send: Send,
];

export const [minute, hour, day] = [60, 3_600, 86_400] as const;

const files = globSync('test/**/limits.ts');

/** Those of all features. */
export const rows: readonly LimitRow[] = (
  await Promise.all(
    files.toSorted().map(async (file) => (await import(resolve(file))) as { limitRows: readonly LimitRow[] }),
  )
).flatMap(({ limitRows }) => limitRows);
