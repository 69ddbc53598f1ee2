import { globSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Actor } from '../support/actors.js';
import type { TestApp } from '../support/app.js';

/** What somebody has who knows the password of another one, and nothing of the second factor. */
export interface Attempt {
  readonly app: TestApp;
  readonly owner: Actor;
  /** Of a session that ended when the factor was enrolled. */
  readonly refreshToken: string;
}

/** A route that hands out a session, and how it is tried with the password alone. */
export interface Pathway {
  readonly body: (attempt: Attempt) => object;
  /** Sent without the token of half a sign-in. */
  readonly isFirstStep?: true;
  /** 401, where it is left out: an answer below 300 must be half a sign-in. */
  readonly status?: number;
}
export type Pathways = Readonly<Record<`POST /v1/auth/${string}`, Pathway>>;

/** Those of every feature, from `pathways.ts` beside its tests, in the order of their routes. */
export const everyPathway: readonly (readonly [route: string, pathway: Pathway])[] = (
  await Promise.all(
    globSync('test/**/pathways.ts').map(async (file) =>
      Object.entries(((await import(resolve(file))) as { pathways: Pathways }).pathways),
    ),
  )
)
  .flat()
  .toSorted(([one], [other]) => (one < other ? -1 : 1));
