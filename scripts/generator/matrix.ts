// The lines that a new feature adds to the committed matrix of routes and actors. They are what is meant, not what is seen: the matrix
// test compares them with the running service.

/** Whom no route lets in that is not public. */
const outside = ['anonymous', 'preFactor', 'expired', 'disabled', 'forged'];

/** Status of a method for the owner of the object, and for everybody else who is signed in. */
const collection = { GET: ['200', '200'], HEAD: ['200', '200'], POST: ['201', '201'] } as const;
const object = { DELETE: ['204', '404'], GET: ['200', '404'], HEAD: ['200', '404'], PATCH: ['200', '404'] } as const;

/**
 * The matrix with the routes of a feature whose objects belong to their owners.
 * @throws Error when the text is no such matrix.
 */
export function withRoutes(matrix: string, path: string): string {
  const [heading, ...lines] = matrix.trimEnd().split('\n').map((line) => line.split(/ {2,}/));
  const actors = heading?.slice(2) ?? [];
  if (heading?.[0] !== 'method' || !actors.includes('owner') || lines.length === 0) throw new Error('this is not the matrix of routes and actors');
  const added = [...rowsOf(path, collection, actors), ...rowsOf(`${path}/:id`, object, actors)];
  const next = lines.findIndex(([, other = '']) => other > path);
  return aligned([heading, ...lines.toSpliced(next === -1 ? lines.length : next, 0, ...added)]);
}

type Statuses = Readonly<Record<string, readonly [owner: string, others: string]>>;

function rowsOf(path: string, statuses: Statuses, actors: readonly string[]): string[][] {
  const called = Object.entries(statuses).map(([method, [owner, others]]) => {
    const cells = actors.map((actor) => (outside.includes(actor) ? '401' : actor === 'owner' ? owner : others));
    return [method, path, ...cells];
  });
  // OPTIONS says what there is; no other method reaches a handler.
  return [...called, ['OPTIONS', path, ...actors.map(() => '204')], ['(others)', path, ...actors.map(() => '405')]];
}

function aligned(lines: readonly (readonly string[])[]): string {
  const widths = (lines[0] ?? []).map((_, at) => Math.max(...lines.map((cells) => cells[at]?.length ?? 0)));
  return lines.map((cells) => `${cells.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join('  ').trimEnd()}\n`).join('');
}
