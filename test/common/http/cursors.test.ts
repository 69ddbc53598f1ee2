import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signUp, signUpAdministrator, type Actor } from '../../support/actors.js';
import { startApp, type TestApp } from '../../support/app.js';
import { SamplesModule } from '../../support/sample/samples.module.js';
import { createSample, shareSample, unshareSample } from '../../support/sample/samples.js';
import { neverIssued } from '../../support/http.js';

let app: TestApp;
let alice: Actor;
let mallory: Actor;
let ids: string[];

beforeAll(async () => {
  app = await startApp({ modules: [SamplesModule] });
  [alice, mallory] = await Promise.all([signUp(app, 'alice'), signUp(app, 'mallory')]);
  ids = [];
  for (let count = 0; count < 7; count++) ids.unshift((await createSample(app, alice)).id);
  await createSample(app, mallory);
});
afterAll(() => app.close());

const list = (query: string, { token }: Actor = alice) => app.request('GET', `/v1/samples?${query}`, { token });
const idsIn = ({ body }: Awaited<ReturnType<typeof list>>) => (body.items as { id: string }[]).map(({ id }) => id);
const firstCursor = async (query = 'limit=3'): Promise<string> => (await list(query)).body.nextCursor as string;

describe('cursors: an honest user [practice 2.4]', () => {
  it('pages to the end and back to the start: the same pages, without a gap or a repetition', async () => {
    const forth = [];
    let page = await list('limit=3');
    for (forth.push(idsIn(page)); page.body.nextCursor !== null; forth.push(idsIn(page)))
      page = await list(`limit=3&cursor=${page.body.nextCursor}`);
    expect(forth.flat()).toEqual(ids);
    const back = [idsIn(page)];
    for (; page.body.previousCursor !== null; back.unshift(idsIn(page)))
      page = await list(`limit=3&cursor=${page.body.previousCursor}`);
    expect(back).toEqual(forth);
  });

  it('changes the limit on the way, and restarts the service: the cursor still counts, on every instance', async () => {
    const cursor = await firstCursor();
    await app.restart();
    for (const instance of app.instances) {
      const page = await instance.request('GET', `/v1/samples?limit=2&cursor=${cursor}`, { token: alice.token });
      expect(idsIn(page)).toEqual(ids.slice(3, 5));
    }
  });

  it('goes back to rows that are gone meanwhile: the first page, not an empty list', async () => {
    const eve = await signUp(app, 'eve');
    const [oldest, middle, newest] = [
      await createSample(app, eve),
      await createSample(app, eve),
      await createSample(app, eve),
    ];
    const second = await list(`limit=1&cursor=${(await list('limit=1', eve)).body.nextCursor}`, eve);
    expect(idsIn(second)).toEqual([middle.id]);
    await app.sql('DELETE FROM samples WHERE id = ANY($1::uuid[])', [[newest.id, middle.id]]);
    const before = await list(`limit=1&cursor=${second.body.previousCursor}`, eve);
    expect(before).toMatchObject({
      status: 200,
      body: { items: [{ id: oldest.id }], nextCursor: null, previousCursor: null },
    });
  });

  it('an answer has no count of what there is [A1-6]', async () => {
    expect(Object.keys((await list('limit=1')).body).toSorted()).toEqual(['items', 'nextCursor', 'previousCursor']);
  });
});

describe('cursors: an attacker [API1] [API4]', () => {
  it('uses the cursor of somebody else: 400, nothing is listed, an event [A1-6] [ASVS 8.2.2]', async () => {
    await refused(await list(`cursor=${await firstCursor()}`, mallory), mallory);
  });

  it('takes a cursor to another scope, or to another search: 400 [A1-6]', async () => {
    const cursor = await firstCursor();
    await refused(await list(`scope=shared&cursor=${cursor}`));
    await refused(await list(`q=minutes&cursor=${cursor}`));
    await refused(await list(`cursor=${await firstCursor('limit=3&q=minutes')}`));
  });

  it('takes a cursor to another list: 400, even for an administrator [A1-6]', async () => {
    const admin = await signUpAdministrator(app);
    const { body } = await app.request('GET', '/v1/users?limit=1', { token: admin.token });
    await refused(await list(`cursor=${body.nextCursor}`, admin), admin);
    const other = await signUpAdministrator(app, 'other');
    await refused(await app.request('GET', `/v1/users?cursor=${body.nextCursor}`, { token: other.token }), other);
  });

  it('turns a cursor around, moves it, changes key or MAC: 400 each [A4-2] [ASVS 4.3.1]', async () => {
    const cursor = await firstCursor();
    const [position = '', keyId = '', mac = ''] = cursor.split('.');
    const forged = [
      `p${position.slice(1)}.${keyId}.${mac}`,
      `n${neverIssued.replaceAll('-', '')}.${keyId}.${mac}`,
      `${position}.audit-00000000.${mac}`,
      `${position}.${keyId}.${mac.startsWith('A') ? 'B' : 'A'}${mac.slice(1)}`,
      `${position}.${keyId}.`,
      `${cursor}.x`,
      position,
      ids[0] ?? '',
    ];
    for (const one of forged) await refused(await list(`cursor=${one}`));
  });

  it.each([
    'limit=0',
    'limit=101',
    'limit=-1',
    'limit=1e9',
    'limit=9007199254740993',
    'limit=NaN',
    'offset=1000000',
    'limit=1&limit=2',
    'cursor=',
  ])('asks with %s: 400 [A4-2] [ASVS 1.4.2]', async (query) => {
    expect((await list(query)).status).toBe(400);
  });

  it('goes on with the cursor of a list whose share was revoked: nothing of it [A1-4] [ASVS 8.3.2]', async () => {
    const exa = await signUp(app, 'exa');
    for (const id of ids.slice(0, 2)) await shareSample(app, id, exa, 'viewer');
    const page = await list('scope=shared&limit=1', exa);
    expect(idsIn(page)).toEqual(ids.slice(0, 1));
    for (const id of ids.slice(0, 2)) await unshareSample(app, id, exa);
    const after = await list(`scope=shared&limit=1&cursor=${page.body.nextCursor}`, exa);
    expect(after).toMatchObject({ status: 200, body: { items: [], nextCursor: null, previousCursor: null } });
  });
});

async function refused(answer: Awaited<ReturnType<typeof list>>, by: Actor = alice): Promise<void> {
  expect(answer).toMatchObject({
    status: 400,
    body: { type: '/problems/malformed-request', errors: [{ pointer: 'query:cursor', code: 'unusable-cursor' }] },
  });
  expect(answer.body).not.toHaveProperty('items');
  await app.auditEvent(
    'input_validation_fail',
    (row) => row['actor_id'] === by.userId && (row['details'] as { reason?: string }).reason === 'cursor',
  );
}
