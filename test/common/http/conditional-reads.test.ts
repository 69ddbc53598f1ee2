import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signUp, type Actor } from '../../support/actors.js';
import { startApp, type TestApp } from '../../support/app.js';
import { SamplesModule } from '../../support/sample/samples.module.js';
import {
  createSharedSample,
  getSamples,
  patchSample,
  shareSample,
  unshareSample,
} from '../../support/sample/samples.js';

let app: TestApp;
let alice: Actor;
let eve: Actor;
let vic: Actor;
let mallory: Actor;

beforeAll(async () => {
  app = await startApp({ modules: [SamplesModule] });
  [alice, eve, vic, mallory] = (await Promise.all(
    ['alice', 'eve', 'vic', 'mallory'].map((name) => signUp(app, name)),
  )) as [Actor, Actor, Actor, Actor];
});
afterAll(() => app.close());

const canary = 'canary-note-4711';
/** Of alice, with eve as editor and vic as viewer. */
const shared = (fields: Record<string, unknown> = {}) =>
  createSharedSample(app, { owner: alice, editor: eve, viewer: vic }, { note: canary, ...fields });
const get = (path: string, person: Actor, headers = {}) => getSamples(app, path, person, headers);
const tagOf = ({ headers }: Awaited<ReturnType<typeof get>>) => headers['etag'] ?? '';
const patch = (id: string, person: Actor, body: object, etag?: string) => patchSample(app, id, person, body, etag);

describe('conditional reads [practice 6.2]', () => {
  it.each(['"1"', 'W/"1"', '"0", "1"', '*'])(
    'has the present version, as %s: 304 without a body, also to HEAD',
    async (tag) => {
      const { id, etag } = await shared();
      for (const method of ['GET', 'HEAD']) {
        const answer = await app.request(method, `/v1/samples/${id}`, {
          token: eve.token,
          headers: { 'if-none-match': tag },
        });
        expect(answer).toMatchObject({ status: 304, text: '', headers: { etag } });
        expect(answer.headers).not.toHaveProperty('content-type');
      }
    },
  );

  it('a viewer who is made an editor: 200 with the note; a viewer again: without [ASVS 8.3.2]', async () => {
    const { id } = await shared();
    const asViewer = tagOf(await get(`/${id}`, vic));
    expect((await get(`/${id}`, vic, { 'if-none-match': asViewer })).status).toBe(304);
    await shareSample(app, id, vic, 'editor');
    const asEditor = await get(`/${id}`, vic, { 'if-none-match': asViewer });
    expect(asEditor).toMatchObject({ status: 200, body: { note: canary } });
    await shareSample(app, id, vic, 'viewer');
    const again = await get(`/${id}`, vic, { 'if-none-match': tagOf(asEditor) });
    expect(again).toMatchObject({ status: 200, headers: { etag: asViewer } });
    expect(again.body).not.toHaveProperty('note');
  });

  it('has some of its fields: 304 for these in any order, 200 for others and after a change', async () => {
    const { id } = await shared();
    const tag = tagOf(await get(`/${id}?fields=id,version`, alice));
    expect((await get(`/${id}?fields=version,id`, alice, { 'if-none-match': tag })).status).toBe(304);
    for (const query of ['', '?fields=id', '?fields=id,title'])
      expect((await get(`/${id}${query}`, alice, { 'if-none-match': tag })).status).toBe(200);
    expect((await patch(id, alice, { title: 'New' }, tag)).status).toBe(200);
    expect((await patch(id, alice, { title: 'Newer' }, tag)).status).toBe(412);
  });

  it('has an older version: 200 with the present one', async () => {
    const { id } = await shared();
    await patch(id, alice, { title: 'New' });
    expect(await get(`/${id}`, alice, { 'if-none-match': '"1"' })).toMatchObject({
      status: 200,
      body: { title: 'New' },
    });
  });

  it.each(['"1"', '*'])(
    'a stranger or an ex-member asks with If-None-Match %s: 404, never 304 [A1-4] [ASVS 8.3.2]',
    async (tag) => {
      const { id } = await shared();
      await unshareSample(app, id, eve);
      for (const person of [eve, mallory]) {
        const answer = await get(`/${id}`, person, { 'if-none-match': tag });
        expect(answer.status).toBe(404);
        expect(answer.headers).not.toHaveProperty('etag');
      }
    },
  );

  it('sends If-None-Match with a change or to a list: it counts for neither', async () => {
    const { id } = await shared();
    const headers = { 'if-match': '"1"', 'if-none-match': '*' };
    const changed = await app.request('PATCH', `/v1/samples/${id}`, {
      token: alice.token,
      headers,
      body: { title: 'New' },
    });
    expect(changed).toMatchObject({ status: 200, body: { version: 2 } });
    expect((await get('?limit=1', alice, { 'if-none-match': '*' })).status).toBe(200);
  });
});
