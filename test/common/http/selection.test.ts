import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signUp, type Actor } from '../../support/actors.js';
import { startApp, type TestApp } from '../../support/app.js';
import { SamplesModule } from '../../support/sample/samples.module.js';
import { createSample, shareSample } from '../../support/sample/samples.js';

let app: TestApp;
let alice: Actor;
let vic: Actor;
beforeAll(async () => {
  app = await startApp({ modules: [SamplesModule] });
  [alice, vic] = await Promise.all([signUp(app, 'alice'), signUp(app, 'vic')]);
});
afterAll(() => app.close());

/** Of alice, with vic as viewer. */
async function shared() {
  const sample = await createSample(app, alice);
  await shareSample(app, sample.id, vic);
  return sample;
}
const get = (path: string, { token }: Actor) => app.request('GET', `/v1/samples${path}`, { token });

describe('fields= [API3]', () => {
  it('the named fields and no others, of one sample and of a list', async () => {
    const { id } = await shared();
    expect(await get(`/${id}?fields=title,id`, alice)).toMatchObject({
      status: 200,
      body: { id, title: 'Minutes' },
      headers: { etag: expect.stringMatching(/^"1-\w+"$/) as string },
    });
    expect(Object.keys((await get(`/${id}?fields=title,id`, alice)).body).toSorted()).toEqual(['id', 'title']);
    expect((await get('?fields=title&limit=1', alice)).body.items).toEqual([{ title: 'Minutes' }]);
    expect((await get(`/${id}?fields=visibility`, vic)).body).toEqual({ visibility: 'private' });
  });

  it('asks for a hidden column, a relation, what does not exist: 400 [A3-5] [ASVS 4.3.1]', async () => {
    const { id } = await shared();
    const hidden = [
      'editors',
      'viewers',
      'owner',
      'passwordHash',
      'owner.email',
      '__proto__',
      'constructor',
      'ID',
      ' id',
      '',
    ];
    for (const path of ['', `/${id}`]) {
      const answers = await Promise.all(hidden.map((name) => get(`${path}?fields=${encodeURIComponent(name)}`, alice)));
      expect(answers.map(({ status }) => status)).toEqual(hidden.map(() => 400));
      expect(answers[0]?.body.errors).toMatchObject([{ pointer: 'query:fields', code: 'not-a-choice' }]);
      expect(new Set(answers.map(({ body }) => JSON.stringify(body.errors))).size).toBe(1);
    }
  });

  it.each(['fields=id,id', 'fields=id&fields=title', 'fields[]=id', 'fields=id,', 'fields=id%2C%2Ctitle', 'fields=*'])(
    'asks with %s: 400 [ASVS 15.3.7]',
    async (query) => {
      expect((await get(`?${query}`, alice)).status).toBe(400);
    },
  );
});
