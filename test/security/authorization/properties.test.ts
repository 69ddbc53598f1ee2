import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signUp, type Actor } from '../../support/actors.js';
import { startApp, type TestApp } from '../../support/app.js';
import { neverIssued } from '../../support/http.js';
import { SamplesModule } from '../../support/sample/samples.module.js';
import {
  createSharedSample,
  getSamples,
  patchSample,
  shareSample,
  storedSample,
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
const patch = (id: string, person: Actor, body: object, etag?: string) => patchSample(app, id, person, body, etag);

describe('property level: who may write a field [API3] [ASVS 8.2.3]', () => {
  it('an editor publishes the sample: 403, the row is unchanged, and the audit trail has it [A3-7]', async () => {
    const { id } = await shared();
    const before = await storedSample(app, id);
    expect((await patch(id, eve, { visibility: 'public' })).status).toBe(403);
    expect((await patch(id, eve, { title: 'By the way', visibility: 'public' })).status).toBe(403);
    expect(await storedSample(app, id)).toEqual(before);
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
    expect(await patch(id, eve, { title: 'T', rank: 7, note: 'by eve' }, '"2"')).toMatchObject({
      status: 200,
      body: { title: 'T', note: 'by eve' },
    });
  });
});

describe('property level: who may read a field [API3] [ASVS 8.2.3]', () => {
  it('owner and editor read the note, of one sample and as the answer of a change', async () => {
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
    await shareSample(app, id, eve, 'viewer');
    expect((await get(`/${id}`, eve)).body).not.toHaveProperty('note');
  });
});
