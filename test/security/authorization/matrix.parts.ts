import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { readTable, type Table } from '../../support/tables.js';
import type { Cast, Fresh } from './matrix.actors.js';

// The matrix is in parts: each feature has its own in its folder of tests, `matrix.ts` with the calls and `matrix.txt`
// with what they give. Whoever removes a feature removes its cells with it, and a new one adds two files.

/** The object that a call is about. */
export interface Stage {
  readonly id: string;
  readonly etag?: string;
}

/** Who acts: what a call is made of. */
export type Players = Pick<Cast, 'app' | 'people' | 'victim'>;

/** What a route is called with, where `{}` is not enough. */
export interface Call {
  /** What the first parameter of the path names. Left out: the reader among the actors. */
  readonly on?: (players: Players) => Stage | Promise<Stage>;
  readonly body?: unknown;
  /** In place of `body`, for what can be sent once only. */
  readonly bodyFor?: (players: Players) => unknown;
  /** The call ends the caller's session or account, so that each actor comes with another one. */
  readonly fresh?: Fresh;
  /**
   * It takes an account over, empties it or ends other people's work: asked by an old session, it wants a fresh
   * sign-in. To take this out is a decision.
   */
  readonly stepUp?: true;
}

export interface MatrixPart {
  /** Every route of the feature, such as `PATCH /v1/users/me`. */
  readonly calls: Readonly<Record<string, Call>>;
}

/** A part as it is committed. */
export interface CommittedPart extends MatrixPart {
  readonly folder: string;
  readonly file: string;
  /** Empty while there is none, or while it is written anew. */
  readonly table: Table;
}

export const isWriting = process.env['MATRIX'] === 'write';
if (isWriting && process.env['CI']) throw new Error('MATRIX=write accepts whatever the service does: never in CI');

/** For whoever meets a difference. */
export const renewal =
  'If that is meant: `MATRIX=write npx vitest run test/security/authorization/matrix.test.ts` writes what is ' +
  'seen; read what has changed in matrix.txt.';

export const parts: readonly CommittedPart[] = await Promise.all(globSync('test/**/matrix.ts').toSorted().map(load));

async function load(path: string): Promise<CommittedPart> {
  const { matrix } = (await import(resolve(path))) as { matrix: MatrixPart };
  const folder = dirname(path);
  const file = join(folder, 'matrix.txt');
  return {
    ...matrix,
    folder,
    file,
    table: isWriting || !existsSync(file) ? new Map() : readTable(readFileSync(file, 'utf8')),
  };
}

/** The call of a route, whichever feature has it; undefined when nobody has thought about it yet. */
export const callOf = (method: string, path: string): Call | undefined =>
  parts.map(({ calls }) => calls[`${method === 'HEAD' ? 'GET' : method} ${path}`]).find((call) => call !== undefined);

/** The staged object takes the place of the first parameter, and the reader that of every other one. */
export const pathOf = (path: string, { people }: Pick<Players, 'people'>, id = people.viewer.userId): string =>
  path.replace(/:\w+/, id).replaceAll(/:\w+/g, people.viewer.userId);
