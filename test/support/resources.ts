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

export async function shareWith(app: TestApp, owner: Actor, id: string, person: Actor, role: 'viewer' | 'editor'): Promise<void> {
  const { status } = await app.request('PUT', `/v1/resources/${id}/shares/${person.userId}`, { token: owner.token, body: { role } });
  expect(status).toBe(200);
}

export async function unshare(app: TestApp, owner: Actor, id: string, person: Actor): Promise<void> {
  const { status } = await app.request('DELETE', `/v1/resources/${id}/shares/${person.userId}`, { token: owner.token });
  expect(status).toBe(204);
}

/** The row as it is stored, to show that a refused request changed nothing. */
export async function storedRow(app: TestApp, id: string): Promise<Record<string, unknown> | undefined> {
  return (await app.sql('SELECT * FROM resources WHERE id = $1', [id]))[0];
}
