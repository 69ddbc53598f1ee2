import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signUp, type Actor } from '../support/actors.js';
import { startApp, type TestApp } from '../support/app.js';
import { createResource, neverIssued, shareWith, storedRow, unshare } from '../support/resources.js';

let app: TestApp;
let alice: Actor;
let eve: Actor;
let vic: Actor;
let mallory: Actor;

beforeAll(async () => {
  app = await startApp();
  [alice, eve, vic, mallory] = (await Promise.all(['alice', 'eve', 'vic', 'mallory'].map((name) => signUp(app, name)))) as [Actor, Actor, Actor, Actor];
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
const get = (path: string, { token }: Actor, headers = {}) => app.request('GET', `/v1/resources${path}`, { token, headers });
const tagOf = ({ headers }: Awaited<ReturnType<typeof get>>) => headers['etag'] ?? '';
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
    for (const target of [id, neverIssued]) expect((await patch(target, mallory, { visibility: 'public' })).status).toBe(404);
  });

  it('the owner publishes, and an editor changes all other fields: 200', async () => {
    const { id } = await shared();
    expect(await patch(id, alice, { visibility: 'public' })).toMatchObject({ status: 200, body: { visibility: 'public', note: canary } });
    expect(await patch(id, eve, { title: 'T', body: 'B', note: 'by eve' }, '"2"')).toMatchObject({ status: 200, body: { title: 'T', note: 'by eve' } });
  });
});

describe('property level: who may read a field [API3] [ASVS 8.2.3]', () => {
  it('owner and editor read the note, of one resource and as the answer of a change', async () => {
    const { id } = await shared();
    for (const person of [alice, eve]) expect((await get(`/${id}`, person)).body.note).toBe(canary);
    expect((await patch(id, eve, { title: 'x' })).body.note).toBe(canary);
    expect((await get('?scope=owned&limit=1', alice)).body.items[0]).toMatchObject({ id, note: canary });
  });

  it('a viewer and the public ask for the note by its name: the answer is empty, whether there is a note or not [A3-4] [A3-5]', async () => {
    const [withNote, without] = [await shared({ visibility: 'public' }), await shared({ visibility: 'public', note: null })];
    for (const person of [vic, mallory]) {
      for (const { id } of [withNote, without]) expect((await get(`/${id}?fields=note`, person)).body).toEqual({});
      for (const scope of ['shared', 'public']) expect((await get(`?scope=${scope}&fields=id,note&limit=100`, person)).text).not.toContain('note');
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
  it('the named fields and no others, of one resource and of a list', async () => {
    const { id } = await shared();
    expect(await get(`/${id}?fields=title,id`, alice)).toMatchObject({ status: 200, body: { id, title: 'Minutes' }, headers: { etag: expect.stringMatching(/^"1-\w+"$/) as string } });
    expect(Object.keys((await get(`/${id}?fields=title,id`, alice)).body).toSorted()).toEqual(['id', 'title']);
    expect((await get('?fields=title&limit=1', alice)).body.items).toEqual([{ title: 'Minutes' }]);
    expect((await get(`/${id}?fields=visibility`, vic)).body).toEqual({ visibility: 'private' });
  });

  it('asks for a hidden column, a relation or what does not exist: 400, and the answers are the same [A3-5] [ASVS 4.3.1]', async () => {
    const { id } = await shared();
    const hidden = ['ownerQuota', 'shares', 'owner', 'passwordHash', 'owner.email', '__proto__', 'constructor', 'ID', ' id', ''];
    for (const path of ['', `/${id}`]) {
      const answers = await Promise.all(hidden.map((name) => get(`${path}?fields=${encodeURIComponent(name)}`, alice)));
      expect(answers.map(({ status }) => status)).toEqual(hidden.map(() => 400));
      expect(answers[0]?.body.errors).toMatchObject([{ pointer: 'query:fields', code: 'not-a-choice' }]);
      expect(new Set(answers.map(({ body }) => JSON.stringify(body.errors))).size).toBe(1);
    }
  });

  it.each(['fields=id,id', 'fields=id&fields=title', 'fields[]=id', 'fields=id,', 'fields=id%2C%2Ctitle', 'fields=*'])('asks with %s: 400 [ASVS 15.3.7]', async (query) => {
    expect((await get(`?${query}`, alice)).status).toBe(400);
  });
});

describe('conditional reads [practice 6.2]', () => {
  it.each(['"1"', 'W/"1"', '"0", "1"', '*'])('has the present version, as %s: 304 without a body, also to HEAD', async (tag) => {
    const { id, etag } = await shared();
    for (const method of ['GET', 'HEAD']) {
      const answer = await app.request(method, `/v1/resources/${id}`, { token: eve.token, headers: { 'if-none-match': tag } });
      expect(answer).toMatchObject({ status: 304, text: '', headers: { etag } });
      expect(answer.headers).not.toHaveProperty('content-type');
    }
  });

  it('has read it as a viewer, and is made an editor: 200 with the note; made a viewer again: 200 without it [ASVS 8.3.2]', async () => {
    const { id } = await shared();
    const asViewer = tagOf(await get(`/${id}`, vic));
    expect((await get(`/${id}`, vic, { 'if-none-match': asViewer })).status).toBe(304);
    await shareWith(app, alice, id, vic, 'editor');
    const asEditor = await get(`/${id}`, vic, { 'if-none-match': asViewer });
    expect(asEditor).toMatchObject({ status: 200, body: { note: canary } });
    await shareWith(app, alice, id, vic, 'viewer');
    const again = await get(`/${id}`, vic, { 'if-none-match': tagOf(asEditor) });
    expect(again).toMatchObject({ status: 200, headers: { etag: asViewer } });
    expect(again.body).not.toHaveProperty('note');
  });

  it('has some of its fields: 304 for the same ones in any order, 200 for others and for the whole; with a change the tag counts', async () => {
    const { id } = await shared();
    const tag = tagOf(await get(`/${id}?fields=id,version`, alice));
    expect((await get(`/${id}?fields=version,id`, alice, { 'if-none-match': tag })).status).toBe(304);
    for (const query of ['', '?fields=id', '?fields=id,title']) expect((await get(`/${id}${query}`, alice, { 'if-none-match': tag })).status).toBe(200);
    expect((await patch(id, alice, { title: 'New' }, tag)).status).toBe(200);
    expect((await patch(id, alice, { title: 'Newer' }, tag)).status).toBe(412);
  });

  it('has an older version: 200 with the present one', async () => {
    const { id } = await shared();
    await patch(id, alice, { title: 'New' });
    expect(await get(`/${id}`, alice, { 'if-none-match': '"1"' })).toMatchObject({ status: 200, body: { title: 'New' } });
  });

  it.each(['"1"', '*'])('a stranger or an ex-member asks with If-None-Match %s: 404, never 304 [A1-4] [ASVS 8.3.2]', async (tag) => {
    const { id } = await shared();
    await unshare(app, alice, id, eve);
    for (const person of [eve, mallory]) {
      const answer = await get(`/${id}`, person, { 'if-none-match': tag });
      expect(answer.status).toBe(404);
      expect(answer.headers).not.toHaveProperty('etag');
    }
  });

  it('sends If-None-Match with a change or to a list: it counts for neither', async () => {
    const { id } = await shared();
    const headers = { 'if-match': '"1"', 'if-none-match': '*' };
    const changed = await app.request('PATCH', `/v1/resources/${id}`, { token: alice.token, headers, body: { title: 'New' } });
    expect(changed).toMatchObject({ status: 200, body: { version: 2 } });
    expect((await get('?limit=1', alice, { 'if-none-match': '*' })).status).toBe(200);
  });
});
