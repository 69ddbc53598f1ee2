import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signUp, type Actor } from '../support/actors.js';
import { startApp, type TestApp } from '../support/app.js';
import { createResource, shareWith, storedRow } from './support.js';
import { neverIssued } from '../support/http.js';

let app: TestApp;
let alice: Actor;
let eve: Actor;
let vic: Actor;
let mallory: Actor;

beforeAll(async () => {
  app = await startApp();
  [alice, eve, vic, mallory] = (await Promise.all(
    ['alice', 'eve', 'vic', 'mallory'].map((name) => signUp(app, name)),
  )) as [Actor, Actor, Actor, Actor];
});
afterAll(() => app.close());

const canary = 'canary-note-4711';
/** Of alice, with eve as editor and vic as viewer. */
async function shared(fields: Record<string, unknown> = {}) {
  const resource = await createResource(app, alice, { note: canary, ...fields });
  await shareWith(app, alice, resource.id, eve, 'editor');
  await shareWith(app, alice, resource.id, vic, 'viewer');
  return resource;
}
const get = (path: string, { token }: Actor, headers = {}) =>
  app.request('GET', `/v1/resources${path}`, { token, headers });
const patch = (id: string, { token }: Actor, body: object, etag = '"1"') =>
  app.request('PATCH', `/v1/resources/${id}`, { token, body, headers: { 'if-match': etag } });

describe('property level: who may write a field [API3] [ASVS 8.2.3]', () => {
  it('an editor publishes the resource: 403, the row is unchanged, and the audit trail has it [A3-7]', async () => {
    const { id } = await shared();
    const before = await storedRow(app, id);
    expect((await patch(id, eve, { visibility: 'public' })).status).toBe(403);
    expect((await patch(id, eve, { title: 'By the way', visibility: 'public' })).status).toBe(403);
    expect(await storedRow(app, id)).toEqual(before);
    await app.auditEvent('authz_fail', (row) => row['actor_id'] === eve.userId && row['target_id'] === id);
  });

  it('an editor sends it with an old version: 403 too, for the version is not what is wrong', async () => {
    const { id } = await shared();
    expect((await patch(id, eve, { visibility: 'public' }, '"7"')).status).toBe(403);
    expect((await patch(id, alice, { visibility: 'public' }, '"7"')).status).toBe(412);
  });

  it('a stranger sends it: the same 404 as for an id that was never issued [ASVS 8.2.2]', async () => {
    const { id } = await shared();
    for (const target of [id, neverIssued])
      expect((await patch(target, mallory, { visibility: 'public' })).status).toBe(404);
  });

  it('the owner publishes, and an editor changes all other fields: 200', async () => {
    const { id } = await shared();
    expect(await patch(id, alice, { visibility: 'public' })).toMatchObject({
      status: 200,
      body: { visibility: 'public', note: canary },
    });
    expect(await patch(id, eve, { title: 'T', body: 'B', note: 'by eve' }, '"2"')).toMatchObject({
      status: 200,
      body: { title: 'T', note: 'by eve' },
    });
  });
});

describe('property level: who may read a field [API3] [ASVS 8.2.3]', () => {
  it('owner and editor read the note, of one resource and as the answer of a change', async () => {
    const { id } = await shared();
    for (const person of [alice, eve]) expect((await get(`/${id}`, person)).body.note).toBe(canary);
    expect((await patch(id, eve, { title: 'x' })).body.note).toBe(canary);
    expect((await get('?scope=owned&limit=1', alice)).body.items[0]).toMatchObject({ id, note: canary });
  });

  it('viewer and public ask for the note by name: empty, note or none [A3-4] [A3-5]', async () => {
    const [withNote, without] = [
      await shared({ visibility: 'public' }),
      await shared({ visibility: 'public', note: null }),
    ];
    for (const person of [vic, mallory]) {
      for (const { id } of [withNote, without]) expect((await get(`/${id}?fields=note`, person)).body).toEqual({});
      for (const scope of ['shared', 'public'])
        expect((await get(`?scope=${scope}&fields=id,note&limit=100`, person)).text).not.toContain('note');
    }
  });

  it('an editor becomes a viewer: the note is gone from the next answer [A1-4] [ASVS 8.3.2]', async () => {
    const { id } = await shared();
    await shareWith(app, alice, id, eve, 'viewer');
    expect((await get(`/${id}`, eve)).body).not.toHaveProperty('note');
  });

  it('a list without the note opens no cell, whoever asks', async () => {
    const { id } = await shared();
    await app.sql('UPDATE resources SET note = note || note WHERE id = $1', [id]).catch(() => undefined);
    await app.sql(`UPDATE resources SET note = left(note, -4) || 'AAAA' WHERE id = $1`, [id]);
    expect((await get('?scope=owned&limit=1', alice)).body.items).toMatchObject([{ id, note: '[unreadable]' }]);
    expect((await get('?scope=owned&limit=1&fields=title', alice)).status).toBe(200);
    expect((await get('?scope=shared&limit=1', vic)).status).toBe(200);
    await app.sql('DELETE FROM resources WHERE id = $1', [id]);
  });
});

describe('fields= [API3]', () => {
  it.each(['ownerQuota', 'shares', 'owner.email'])('asks for the hidden %s: 400 [A3-5] [ASVS 4.3.1]', async (name) => {
    const { id } = await shared();
    for (const path of ['', `/${id}`]) expect((await get(`${path}?fields=${name}`, alice)).status).toBe(400);
  });
});
