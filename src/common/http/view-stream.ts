import { Readable } from 'node:stream';
import type { Type } from '@nestjs/common';
import { fieldShapeOf, shapeOf, type Shape } from './view.js';

const SHAPE = Symbol('shape');

/** The value of a field, or the pieces of a list that is too long for the memory. */
export type Streamed = AsyncIterable<readonly unknown[]> | object | string | number | null;

/**
 * An answer that is written while it is read, so that its length is no matter of memory. Each part is held against the
 * view before it leaves, as a whole answer is. Handlers return it as a `StreamableFile`: of a bare stream Nest makes
 * another one. A fault in the middle breaks the connection off: what has arrived then is no JSON, and never looks
 * complete.
 */
export function streamView(view: Type, fields: AsyncIterable<readonly [string, Streamed]>): Readable {
  return Object.assign(Readable.from(write(view, fields), { objectMode: false }), { [SHAPE]: shapeOf(view) });
}

/** True for a stream that was held against the view with this shape. */
export const isStreamOf = (payload: unknown, shape: Shape): boolean =>
  payload instanceof Readable && (payload as { [SHAPE]?: Shape })[SHAPE] === shape;

async function* write(view: Type, fields: AsyncIterable<readonly [string, Streamed]>): AsyncGenerator<string, void> {
  let separator = '{';
  for await (const [name, value] of fields) {
    const shape = fieldShapeOf(view, name);
    yield `${separator}${JSON.stringify(name)}:`;
    if (isPieces(value)) yield* writeList(value, shape);
    else yield JSON.stringify(shape(value));
    separator = ',';
  }
  yield separator === '{' ? '{}' : '}';
}

async function* writeList(pieces: AsyncIterable<readonly unknown[]>, shape: Shape): AsyncGenerator<string, void> {
  let separator = '[';
  for await (const piece of pieces) {
    if (piece.length === 0) continue;
    yield `${separator}${piece.map((item) => JSON.stringify(shape(item))).join(',')}`;
    separator = ',';
  }
  yield separator === '[' ? '[]' : ']';
}

const isPieces = (value: Streamed): value is AsyncIterable<readonly unknown[]> =>
  typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
