import type { Answer, Client } from './client.js';
import { person, resource } from './fixture.js';
import type { ScenarioName } from './options.js';

export interface Scenario {
  readonly title: string;
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: object;
  readonly status: number;
  /** True for an answer with the plain values that were stored: an app that leaves its cells sealed does less work. */
  readonly isRight: (body: Answer['body']) => boolean;
}

export const scenarios: Readonly<Record<ScenarioName, Scenario>> = {
  me: {
    title: 'GET /v1/users/me',
    method: 'GET',
    path: '/v1/users/me',
    status: 200,
    isRight: (body) => body.email === person.email && body.name === person.name && body.phone === person.phone,
  },
  list: {
    title: 'GET /v1/resources?limit=20',
    method: 'GET',
    path: '/v1/resources?limit=20',
    status: 200,
    isRight: (body) =>
      body.items.length === 20 && body.items.every(({ note }: { note: string }) => note === resource.note),
  },
  create: {
    title: 'POST /v1/resources',
    method: 'POST',
    path: '/v1/resources',
    body: resource,
    status: 201,
    isRight: (body) => body.note === resource.note,
  },
};

/**
 * Asks once, as the load will ask.
 * @returns the shape of the answer: names and types of its fields.
 * @throws Error for another status, or an answer that is not right.
 */
export async function check(
  client: Client,
  token: string,
  { method, path, body, status, isRight }: Scenario,
): Promise<string> {
  const answer = await client.expect(status, method, path, { token, body });
  if (!isRight(answer.body)) throw new Error(`${method} ${path}: not what was stored: ${JSON.stringify(answer.body)}`);
  return shapeOf(answer.body);
}

function shapeOf(value: unknown): string {
  if (Array.isArray(value)) return `${value.length} x ${[...new Set(value.map(shapeOf))].join(' or ')}`;
  if (typeof value !== 'object' || value === null) return value === null ? 'null' : typeof value;
  const fields = Object.entries(value).map(([name, field]) => `${name}: ${shapeOf(field)}`);
  return `{ ${fields.toSorted().join(', ')} }`;
}
