// With: headers.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signUp, type Actor } from '../../support/actors.js';
import { startApp, type TestApp } from '../../support/app.js';

// A cache in front of the service that keeps whatever looks like a static file: the victim opens such a link, and the
// attacker reads their account out of the cache.

let app: TestApp;
let victim: Actor;
beforeAll(async () => {
  app = await startApp({ instances: 1 });
  victim = await signUp(app, 'victim');
});
afterAll(() => app.close());

const me = '/v1/users/me';
const endings = ['.css', '.js', '.png', '/x.css', '/x.js', '/..%2fx.css', ';.js', ';x.css', '%3b.css', '%2fx.css'];
const hidden = ['%00.css', '%0a.css', '%23.css', '%3f.css', '%20.css', '%09x.js', '%5cx.js', '%252fx.css', '~.css'];

describe('links to an account that look like a file [ASVS 14.2.5]', () => {
  it.each([...endings, ...hidden])(
    `${me}%s: refused, nothing of the account, and no cache keeps it`,
    async (ending) => {
      const { status, headers, text } = await app.request('GET', `${me}${ending}`, { token: victim.token });
      // NUL: 400. One segment is the id of some account: 403 before anybody looks for it. Two are no route: 404.
      expect([400, 403, 404]).toContain(status);
      expect([headers['cache-control'], headers['etag']]).toEqual(['no-store', undefined]);
      for (const value of [victim.email, victim.userId, victim.name]) expect(text).not.toContain(value);
    },
  );

  it.each(['', '?x.css', '?/x.js'])(`${me}%s: the account, which no cache keeps`, async (query) => {
    const { status, headers } = await app.request('GET', `${me}${query}`, { token: victim.token });
    expect([200, 400]).toContain(status);
    expect(headers['cache-control']).toBe('no-store');
    expect(headers['expires'] ?? headers['age']).toBeUndefined();
  });
});
