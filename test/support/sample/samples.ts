import { expect } from 'vitest';
import type { Actor } from '../actors.js';
import type { TestApp } from '../app.js';

export interface StoredSample {
  readonly id: string;
  readonly etag: string;
}

/** A private sample of the actor, with a note. */
export async function createSample(
  app: TestApp,
  owner: Pick<Actor, 'token'>,
  fields: Record<string, unknown> = {},
): Promise<StoredSample> {
  const body = { title: 'Minutes', body: 'We met.', note: 'Only for us.', ...fields };
  const { status, headers, body: created } = await app.request('POST', '/v1/samples', { token: owner.token, body });
  expect(status).toBe(201);
  return { id: created.id as string, etag: headers['etag'] as string };
}

/** In place of the role that they had. */
export async function shareSample(
  app: TestApp,
  id: string,
  person: Pick<Actor, 'userId'>,
  role: 'viewer' | 'editor' = 'viewer',
): Promise<void> {
  await unshareSample(app, id, person);
  await app.sql(`UPDATE samples SET ${role}s = array_append(${role}s, $2::uuid) WHERE id = $1`, [id, person.userId]);
}

export const unshareSample = (app: TestApp, id: string, { userId }: Pick<Actor, 'userId'>): Promise<unknown> =>
  app.sql(
    'UPDATE samples SET editors = array_remove(editors, $2::uuid), viewers = array_remove(viewers, $2::uuid) ' +
      'WHERE id = $1',
    [id, userId],
  );

/** Of the owner, with an editor and a viewer. */
export async function createSharedSample(
  app: TestApp,
  { owner, editor, viewer }: Readonly<Record<'owner' | 'editor' | 'viewer', Actor>>,
  fields: Record<string, unknown>,
): ReturnType<typeof createSample> {
  const sample = await createSample(app, owner, fields);
  await shareSample(app, sample.id, editor, 'editor');
  await shareSample(app, sample.id, viewer, 'viewer');
  return sample;
}

export const getSamples = (app: TestApp, path: string, { token }: Actor, headers = {}) =>
  app.request('GET', `/v1/samples${path}`, { token, headers });

export const patchSample = (app: TestApp, id: string, { token }: Actor, body: object, etag = '"1"') =>
  app.request('PATCH', `/v1/samples/${id}`, { token, body, headers: { 'if-match': etag } });

/** The row as it is stored, to show that a refused request changed nothing. */
export async function storedSample(app: TestApp, id: string): Promise<Record<string, unknown> | undefined> {
  return (await app.sql('SELECT * FROM samples WHERE id = $1', [id]))[0];
}
