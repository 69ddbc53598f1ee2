import { globSync } from 'node:fs';
import { resolve } from 'node:path';
import type { TestApp } from '../support/app.js';
import type { RequestParts } from '../support/http.js';

/** The request that is broken off, with everything in place that it needs. */
export interface Act {
  readonly method: string;
  readonly path: string;
  readonly parts: RequestParts;
}

/** A change of several rows which must agree. */
export interface Flow {
  /** Puts everything in place. */
  readonly prepare: (app: TestApp) => Promise<Act>;
  /** Also with the process killed at its commit. */
  readonly isKilled?: boolean;
}
export type Flows = Readonly<Record<string, Flow>>;

/** Those of every feature, from `flows.ts` beside its tests. */
export const everyFlow: Flows = Object.assign(
  {},
  ...(await Promise.all(
    globSync('test/**/flows.ts').map(async (file) => ((await import(resolve(file))) as { flows: Flows }).flows),
  )),
) as Flows;

export const post = (path: string, body?: object, { token }: { token?: string } = {}): Act => ({
  method: 'POST',
  path,
  parts: { body, token },
});
