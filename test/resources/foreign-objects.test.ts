import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { signUp, type Actor } from '../support/actors.js';
import { startApp, type TestApp } from '../support/app.js';
import type { Answer } from '../support/http.js';
import { createResource, invite, neverIssued, shareWith, storedRow } from '../support/resources.js';
import { unlimited } from '../support/unlimited.js';

let app: TestApp;
let alice: Actor;
let vic: Actor;
let mallory: Actor;
let id: string;
let invitationId: string;
let routes: { method: string; path: string }[];

const methods = ['GET', 'HEAD', 'POST', 'PATCH', 'PUT', 'DELETE'];
const bodies: Readonly<Record<string, object>> = {
  'PATCH /v1/resources/{id}': { title: 'mine' },
  'POST /v1/resources/{id}/shares': { email: 'mallory@example.org', role: 'editor' },
  'PUT /v1/resources/{id}/shares/{userId}': { role: 'editor' },
};

beforeAll(async () => {
  unlimited();
  app = await startApp({ instances: 1 });
  [alice, vic, mallory] = (await Promise.all(['alice', 'vic', 'mallory'].map((name) => signUp(app, name)))) as [Actor, Actor, Actor];
  ({ id } = await createResource(app, alice));
  await shareWith(app, alice, id, vic, 'viewer');
  expect((await invite(app, alice, id, 'somebody@example.org')).status).toBe(202);
  const { body } = await app.request('GET', `/v1/resources/${id}/invitations`, { token: alice.token });
  invitationId = body.items[0].id as string;
  const { paths } = (await app.request('GET', '/openapi.json')).body as { paths: Record<string, object> };
  routes = Object.keys(paths).filter((path) => path.startsWith('/v1/resources/{id}')).flatMap((path) => methods.map((method) => ({ method, path })));
});
afterAll(() => app.close());

/** What a stranger can compare: all but the request's own id, the date and what is left of the limits. */
function comparable({ status, headers, body, text }: Answer) {
  const { date: _, 'x-request-id': __, ratelimit: ___, ...rest } = headers;
  return { status, headers: rest, length: text.length, body: typeof body === 'object' && body !== null ? { ...body, requestId: '' } : body };
}

/** Asks as somebody who has no share. With the statements about resources that it took: as many, and the same, take the same time. */
async function ask(method: string, path: string, resource: string) {
  const target = path.replace('{id}', resource).replace('{userId}', vic.userId).replace('{invitationId}', invitationId);
  const query = vi.spyOn(pg.Client.prototype, 'query');
  const headers = { 'if-match': '"1"' };
  const answer = await app.request(method, target, { token: mallory.token, headers, ...(bodies[`${method} ${path}`] === undefined ? {} : { body: bodies[`${method} ${path}`] }) });
  const statements = query.mock.calls.map(([first]) => textOf(first)).filter((text) => /resources|resource_shares|invitations/.test(text));
  query.mockRestore();
  return { answer: comparable(answer), statements };
}

const textOf = (query: unknown): string => (typeof query === 'string' ? query : ((query as { text?: string } | undefined)?.text ?? ''));
const everything = async () => [await storedRow(app, id), await app.sql('SELECT * FROM resource_shares'), await app.sql('SELECT * FROM invitations')];

describe('an object of somebody else and an id that was never issued', () => {
  it('by every method, on it and on every route below it: one answer, byte for byte, and the same statements [A1-1] [ASVS 8.2.2] [API1]', async () => {
    const before = await everything();
    const refused = [];
    for (const { method, path } of routes) {
      const [foreign, absent] = [await ask(method, path, id), await ask(method, path, neverIssued)];
      expect({ method, path, ...foreign }).toEqual({ method, path, ...absent });
      expect([method, path, foreign.answer.status]).toEqual([method, path, expect.toBeOneOf([404, 405])]);
      if (foreign.answer.status === 404) refused.push(`${method} ${path}`);
    }
    expect(refused.length).toBeGreaterThanOrEqual(10);
    expect(await everything()).toEqual(before);
  });
});
