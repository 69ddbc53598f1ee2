import { randomUUID, randomUUIDv7 } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Database } from '../../src/database/index.js';
import { signUp, signUpAdministrator, type Actor } from '../support/actors.js';
import { startApp, type TestApp } from '../support/app.js';
import type { Answer } from '../support/http.js';
import { statementsOf } from '../support/statements.js';
import { createResource, shareWith } from './support.js';
import { unlimited } from '../support/unlimited.js';

const many = 50;
const body = { title: 'Counted', body: '' };

let app: TestApp;
let admin: Actor;
let database: Database;
let people: string[];
let id: string;
let doomed: string[];

beforeAll(async () => {
  unlimited();
  app = await startApp({ instances: 1 });
  database = app.on(0).service.app.get(Database, { strict: false });
  const alice = await signUp(app, 'alice');
  admin = await signUpAdministrator(app);
  for (let count = 0; count < many; count++) {
    await createResource(app, admin);
    await shareWith(app, alice, (await createResource(app, alice, { visibility: 'public' })).id, admin, 'editor');
  }
  people = Array.from({ length: many }, () => randomUUIDv7());
  await database.client.user.createMany({
    data: people.map((person) => ({ id: person, email: `${person}@example.org`, name: 'Somebody' })),
  });
  id = (await createResource(app, admin)).id;
  doomed = [];
  for (let count = 0; count < 5; count++) doomed.push((await createResource(app, admin)).id);
});
afterAll(() => app.close());

/** How many statements one request sends, once what the service keeps between requests is there. */
async function countOf(send: () => Promise<Answer>): Promise<number> {
  await send();
  const { answer, statements } = await statementsOf(send);
  expect(answer.status).toBeLessThan(300);
  return statements.length;
}

const get = (path: string) => app.request('GET', `/v1/${path}`, { token: admin.token });
const post = (headers = {}) => app.request('POST', '/v1/resources', { token: admin.token, headers, body });
const usedKey = `"${randomUUID()}"`;
let etag = '"1"';

async function patch() {
  const answer = await app.request('PATCH', `/v1/resources/${id}`, {
    token: admin.token,
    headers: { 'if-match': etag },
    body: { title: 'Again' },
  });
  etag = answer.headers['etag'] ?? '';
  return answer;
}

/** BEGIN and COMMIT count. A statement more for a request is a decision, which is made here. */
const requests: Record<string, [() => Promise<Answer>, number]> = {
  'GET /v1/resources/:id': [() => get(`resources/${id}`), 1],
  'POST /v1/resources': [() => post(), 1],
  'POST /v1/resources with a new Idempotency-Key': [() => post({ 'idempotency-key': `"${randomUUID()}"` }), 3],
  'POST /v1/resources with a used Idempotency-Key': [() => post({ 'idempotency-key': usedKey }), 3],
  'PATCH /v1/resources/:id': [patch, 6],
  'DELETE /v1/resources/:id': [
    () =>
      app.request('DELETE', `/v1/resources/${doomed.pop()}`, { token: admin.token, headers: { 'if-match': '"1"' } }),
    4,
  ],
  'GET /v1/users/me': [() => get('users/me'), 1],
  'GET /v1/users/:id': [() => get(`users/${people[0]}`), 1],
};

/** For each read of 26 rows. */
const lists: Record<string, number> = {
  'resources?scope=owned': 1,
  'resources?scope=owned&fields=title': 1,
  'resources?q=minutes': 1,
  'resources?scope=shared': 2,
  'resources?scope=shared&q=minutes': 2,
  'resources?scope=public': 1,
  'users?': 1,
};

describe('statements per request: the cost is that of the page [API4] [ASVS 15.2.2]', () => {
  it.each(Object.entries(requests))('%s', async (_, [send, expected]) => {
    expect(await countOf(send)).toBe(expected);
  });

  it.each(Object.entries(lists))(
    'GET /v1/%s: as many for 20 rows as for one, and as many again for 50',
    async (list, expected) => {
      expect((await get(`${list}&limit=${many}`)).body.items).toHaveLength(many);
      for (const limit of [1, 20]) expect(await countOf(() => get(`${list}&limit=${limit}`))).toBe(expected);
      expect(await countOf(() => get(`${list}&limit=${many}`))).toBe(2 * expected);
    },
  );

  it('GET /v1/users of 20 people whose data keys are not cached: one statement more for all keys', async () => {
    const answer = () => {
      for (const person of people) database.forgetDataKeys(person);
      return get('users?limit=20');
    };
    expect(await countOf(answer)).toBe(2);
  });
});
