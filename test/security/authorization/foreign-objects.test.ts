import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signUp, type Actor } from '../../support/actors.js';
import { startApp, type TestApp } from '../../support/app.js';
import { fingerprint } from '../../support/fingerprint.js';
import { neverIssued, type Answer } from '../../support/http.js';
import { inventoryWithSamples } from '../../support/inventory.js';
import { SamplesModule } from '../../support/sample/samples.module.js';
import { statementsOf } from '../../support/statements.js';
import { unlimited } from '../../support/unlimited.js';
import { actors } from './matrix.actors.js';
import { callOf, pathOf, type Players } from './matrix.parts.js';

let app: TestApp;
let mallory: Actor;
let players: Players;

/** Whoever adds a route with a policy is attacked here too: with what the matrix calls it with. */
const routes = inventoryWithSamples().filter(({ objects, path }) => objects.includes('Policy.') && path.includes(':'));

beforeAll(async () => {
  unlimited();
  app = await startApp({ modules: [SamplesModule], instances: 1 });
  mallory = await signUp(app, 'mallory');
  const people = new Map<string, Actor>();
  for (const name of ['owner', 'friend', 'exMember']) people.set(name, await signUp(app, name.toLowerCase()));
  const everybody = actors.map((name) => [name, people.get(name) ?? people.get('friend')] as const);
  players = { app, people: Object.fromEntries(everybody) as Players['people'], victim: mallory };
});
afterAll(() => app.close());

/** What a stranger can compare: all but the request's own id, the date and what is left of the limits. */
function comparable({ status, headers, body, text }: Answer) {
  const { 'date': _, 'x-request-id': __, 'ratelimit': ___, ...rest } = headers;
  const told: unknown = typeof body === 'object' && body !== null ? { ...body, requestId: '' } : body;
  return { status, headers: rest, length: text.length, body: told };
}

/** With the statements that it took: as many, and the same, take the same time. */
async function ask(method: string, path: string, id: string) {
  const { body } = callOf(method, path) ?? {};
  const headers = { 'if-match': '"1"' };
  const send = () => app.request(method, pathOf(path, players, id), { token: mallory.token, headers, body });
  const { answer, statements } = await statementsOf(send);
  expect(statements).not.toEqual([]);
  return { answer: comparable(answer), statements };
}

describe('an object of somebody else and an id that was never issued [API1] [practice 2.4]', () => {
  it.each(routes)('$method $path: one answer, the same statements [A1-1] [ASVS 8.2.2]', async ({ method, path }) => {
    const object = await callOf(method, path)?.on?.(players);
    expect(object, 'let the call in matrix.ts of the feature be about an object of the owner').toBeDefined();
    const before = await fingerprint(app);
    const [foreign, absent] = [await ask(method, path, object?.id ?? ''), await ask(method, path, neverIssued)];
    expect(foreign).toEqual(absent);
    expect(foreign.answer.status).toBe(404);
    expect(await fingerprint(app)).toEqual(before);
  });
});
