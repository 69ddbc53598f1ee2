import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signUp, type Actor } from '../support/actors.js';
import { startApp, type TestApp } from '../support/app.js';
import { createResource, shareWith } from './support.js';

const titles = [
  'Plain minutes',
  '100% sure',
  'snake_case',
  String.raw`back\slash`,
  'Ünïcode ÄÖÜ',
  "it's quoted",
  'a.*b [c] (d|e)',
  'x'.repeat(200),
];

let app: TestApp;
let alice: Actor;
let mallory: Actor;

beforeAll(async () => {
  app = await startApp();
  [alice, mallory] = await Promise.all([signUp(app, 'alice'), signUp(app, 'mallory')]);
  for (const title of titles) await createResource(app, alice, { title });
});
afterAll(() => app.close());

const search = (q: string, { actor = alice, rest = '' }: { actor?: Actor; rest?: string } = {}) =>
  app.request('GET', `/v1/resources?q=${encodeURIComponent(q)}${rest}`, { token: actor.token });
const found = async (...parts: Parameters<typeof search>) => {
  const { status, body } = await search(...parts);
  expect(status).toBe(200);
  return (body.items as { title: string }[]).map(({ title }) => title);
};

describe('search: an honest user [practice 3.1]', () => {
  it.each([
    ['MINUTES', 'Plain minutes'],
    ['äöü', 'Ünïcode ÄÖÜ'],
    ['  sure ', '100% sure'],
    ["it's", "it's quoted"],
    ['a.*b [c] (d|e)', 'a.*b [c] (d|e)'],
  ])('looks for %s: finds the title that contains it, in any case of letters', async (q, title) => {
    expect(await found(q)).toEqual([title]);
  });

  it('pages through what it finds', async () => {
    const first = await search('a', { rest: '&limit=2' });
    const second = await app.request('GET', `/v1/resources?q=a&limit=100&cursor=${first.body.nextCursor}`, {
      token: alice.token,
    });
    const all = await found('a', { rest: '&limit=100' });
    expect([...first.body.items, ...second.body.items].map(({ title }: { title: string }) => title)).toEqual(all);
    expect(all.length).toBeGreaterThan(3);
  });

  it('looks among what is shared with the caller', async () => {
    const { id } = await createResource(app, alice, { title: 'shared needle' });
    await shareWith(app, alice, id, mallory, 'viewer');
    expect(await found('needle', { actor: mallory, rest: '&scope=shared' })).toEqual(['shared needle']);
    expect(await found('minutes', { actor: mallory, rest: '&scope=shared' })).toEqual([]);
  });
});

describe('search: an attacker [ASVS 1.2.4] [ASVS 1.2.9]', () => {
  it.each([
    ['%', ['100% sure']],
    ['_', ['snake_case']],
    ['\\', [String.raw`back\slash`]],
    ['1%s', []],
    ['m_nutes', []],
    ['%%%', []],
    [String.raw`\%`, []],
  ] as const)(
    'looks for %s, which LIKE takes for an operator: it is taken by its letters [A4-3]',
    async (q, expected) => {
      expect(await found(q)).toEqual(expected);
    },
  );

  it.each(['.+', '^Plain', 'Plain & minutes', 'minutes:*', "' OR '1'='1", '$1', '(?i)plain'])(
    'looks for %s: operators of other languages find nothing',
    async (q) => {
      expect(await found(q)).toEqual([]);
    },
  );

  it('finds nothing of others, nor learns that there is something [A1-6] [API1]', async () => {
    const answer = await search('minutes', { actor: mallory });
    expect(answer.body).toEqual({ items: [], nextCursor: null, previousCursor: null });
    expect((await search('no such title', { actor: mallory })).body).toEqual(answer.body);
  });

  it('looks among all that is public, which would cost with the table: 400 [API4]', async () => {
    const answer = await search('minutes', { rest: '&scope=public' });
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ pointer: 'query:q' }] } });
  });

  it.each([
    ['nothing', ''],
    ['blanks', '   '],
    ['too much', 'x'.repeat(101)],
    ['a control character', 'a\u0000b'],
    ['a direction mark', 'a\u202eb'],
  ])('looks for %s: 400 [A4-3] [ASVS 2.2.1]', async (_, q) => {
    expect((await search(q)).status).toBe(400);
  });

  it.each(['q=a&q=b', 'q[contains]=a', 'q[]=a'])('asks with %s: 400 [ASVS 15.3.7]', async (query) => {
    expect((await app.request('GET', `/v1/resources?${query}`, { token: alice.token })).status).toBe(400);
  });
});
