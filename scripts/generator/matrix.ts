// The part of the committed matrix of routes and actors that a new feature has. They are what is meant, not what is
// seen: the matrix test compares them with the running service.
import { aligned } from '../../src/common/aligned.ts';

/** Whom no route lets in that is not public. To machines no route is open that does not say so. */
const outside = ['anonymous', 'preFactor', 'expired', 'disabled', 'forged'];

const refused = new Map([...outside.map((actor) => [actor, '401'] as const), ['machine', '403'] as const]);

/** Status of a method for the owner of the object, and for everybody else who is signed in. */
const collection = { GET: ['200', '200'], HEAD: ['200', '200'], POST: ['201', '201'] } as const;
const object = { DELETE: ['204', '404'], GET: ['200', '404'], HEAD: ['200', '404'], PATCH: ['200', '404'] } as const;

/**
 * The part of the matrix for a feature whose objects belong to their owners.
 * @param another part, from which the actors are taken.
 * @throws Error when the text is no such part.
 */
export function matrixOf(path: string, another: string): string {
  const heading = another.split('\n')[0]?.split(/ {2,}/) ?? [];
  const actors = heading.slice(2);
  if (heading[0] !== 'method' || !actors.includes('owner'))
    throw new Error('this is no part of the matrix of routes and actors');
  return aligned([heading, ...rowsOf(path, collection, actors), ...rowsOf(`${path}/:id`, object, actors)]);
}

type Statuses = Readonly<Record<string, readonly [owner: string, others: string]>>;

function rowsOf(path: string, statuses: Statuses, actors: readonly string[]): string[][] {
  return Object.entries(statuses).map(([method, [owner, others]]) => {
    const cells = actors.map((actor) => refused.get(actor) ?? (actor === 'owner' ? owner : others));
    return [method, path, ...cells];
  });
}
