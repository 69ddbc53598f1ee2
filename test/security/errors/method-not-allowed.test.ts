import { METHODS } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startSmallApp, type SmallApp } from '../small-app.js';

let app: SmallApp;
beforeAll(async () => {
  app = await startSmallApp();
});
afterAll(() => app.close());

const routes: [string, string[]][] = [
  ['/things', ['GET', 'HEAD', 'OPTIONS', 'POST']],
  ['/things/1', ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH']],
  // The static route and the parameter one: the router tries both.
  ['/things/slow', ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH']],
];

describe('405 names the methods that exist (practice 6.2, ASVS 4.1.4, abuse case A5-1)', () => {
  // CONNECT has no path; the parser test has it. QUERY needs a content type before anything else.
  const verbs = METHODS.filter((method) => method !== 'CONNECT' && method !== 'QUERY');

  it.each(routes)(
    'every other verb on %s: 405 and Allow [A5-1] [A8-5] [ASVS 4.1.4] [ASVS 13.4.4]',
    async (path, methods) => {
      for (const method of verbs.filter((verb) => !methods.includes(verb))) {
        const answer = await app.request(method, path);
        expect([method, answer.status, answer.headers['allow']]).toEqual([method, 405, methods.join(', ')]);
      }
    },
  );

  it('every verb on an unknown path: 404 without Allow', async () => {
    for (const method of verbs) {
      const answer = await app.request(method, '/nothing');
      expect([method, answer.status, answer.headers['allow']]).toEqual([method, 404, undefined]);
    }
  });

  it('names another verb in a header: it has no meaning [A5-1]', async () => {
    for (const name of ['x-http-method-override', 'x-method-override', 'x-http-method']) {
      const answer = await app.request('GET', '/things/1', { headers: { [name]: 'DELETE' } });
      expect(answer).toMatchObject({ status: 200, body: { id: '1' } });
    }
  });

  it('QUERY without a route: refused', async () => {
    const answer = await app.request('QUERY', '/things', { body: {} });
    expect(answer.status).toBe(405);
  });
});
