import { expect } from 'vitest';
import type { Actor } from '../support/actors.js';
import type { TestApp } from '../support/app.js';

export interface StoredResource {
  readonly id: string;
  readonly etag: string;
}

/** A private resource of the actor, with a note. */
export async function createResource(
  app: TestApp,
  owner: Actor,
  fields: Record<string, unknown> = {},
): Promise<StoredResource> {
  const body = { title: 'Minutes', body: 'We met.', note: 'Only for us.', ...fields };
  const { status, headers, body: created } = await app.request('POST', '/v1/resources', { token: owner.token, body });
  expect(status).toBe(201);
  return { id: created.id as string, etag: headers['etag'] as string };
}

/** By SQL, where a test is about what comes after: how a share comes about is no matter of theirs. */
export async function shareWith(
  app: TestApp,
  _owner: Actor,
  id: string,
  person: Pick<Actor, 'userId'>,
  role: 'viewer' | 'editor',
): Promise<void> {
  const upsert =
    'INSERT INTO resource_shares VALUES ($1, $2, $3) ON CONFLICT (resource_id, user_id) ' +
    'DO UPDATE SET role = excluded.role';
  await app.sql(upsert, [id, person.userId, role]);
}

export async function unshare(app: TestApp, owner: Actor, id: string, person: Actor): Promise<void> {
  const { status } = await app.request('DELETE', `/v1/resources/${id}/shares/${person.userId}`, { token: owner.token });
  expect(status).toBe(204);
}

/** The row as it is stored, to show that a refused request changed nothing. */
export async function storedRow(app: TestApp, id: string): Promise<Record<string, unknown> | undefined> {
  return (await app.sql('SELECT * FROM resources WHERE id = $1', [id]))[0];
}
