import { expect } from 'vitest';
import type { Actor } from './actors.js';
import type { TestApp } from './app.js';

/** An id of the right form that was never issued. */
export const neverIssued = '01890000-0000-7000-8000-000000000000';

export interface StoredResource {
  readonly id: string;
  readonly etag: string;
}

/** A private resource of the actor, with a note. */
export async function createResource(app: TestApp, owner: Actor, fields: Record<string, unknown> = {}): Promise<StoredResource> {
  const body = { title: 'Minutes', body: 'We met.', note: 'Only for us.', ...fields };
  const { status, headers, body: created } = await app.request('POST', '/v1/resources', { token: owner.token, body });
  expect(status).toBe(201);
  return { id: created.id as string, etag: headers['etag'] as string };
}

/** By SQL, where a test is about what comes after: how a share comes about is the matter of test/invitations. */
export async function shareWith(app: TestApp, _owner: Actor, id: string, person: Pick<Actor, 'userId'>, role: 'viewer' | 'editor'): Promise<void> {
  const upsert = 'INSERT INTO resource_shares VALUES ($1, $2, $3) ON CONFLICT (resource_id, user_id) DO UPDATE SET role = excluded.role';
  await app.sql(upsert, [id, person.userId, role]);
}

export const invite = (app: TestApp, owner: Pick<Actor, 'token'>, id: string, email: string, role = 'viewer') =>
  app.request('POST', `/v1/resources/${id}/shares`, { token: owner.token, body: { email, role } });

/** The id of the invitation to the resource, as its addressee sees it. */
export async function invitationTo(app: TestApp, person: Pick<Actor, 'token'>, id: string): Promise<string | undefined> {
  const { body } = await app.request('GET', '/v1/invitations?limit=100', { token: person.token });
  return (body.items as { id: string; resourceId: string }[]).find(({ resourceId }) => resourceId === id)?.id;
}

export const accept = (app: TestApp, person: Pick<Actor, 'token'>, invitation: string | undefined, instance = 0) =>
  app.on(instance).request('POST', `/v1/invitations/${invitation}/accept`, { token: person.token });

export async function unshare(app: TestApp, owner: Actor, id: string, person: Actor): Promise<void> {
  const { status } = await app.request('DELETE', `/v1/resources/${id}/shares/${person.userId}`, { token: owner.token });
  expect(status).toBe(204);
}

/** The row as it is stored, to show that a refused request changed nothing. */
export async function storedRow(app: TestApp, id: string): Promise<Record<string, unknown> | undefined> {
  return (await app.sql('SELECT * FROM resources WHERE id = $1', [id]))[0];
}
