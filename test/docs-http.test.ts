import { existsSync, globSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApp, type TestApp } from './support/app.js';
import { anotherAddress } from './support/http.js';
import { fill, HttpFileRun, readRequests, type Client } from './support/http-file.js';

let app: TestApp;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.close());

const files = globSync('docs/http/*.http').toSorted();

/** Sends what the file says, all of a file from one address: the limits are met as a person meets them. */
const plain = (): Client => {
  const from = anotherAddress();
  return (file, index) => {
    const request = readRequests('', file)[index];
    if (request === undefined) throw new Error('no such request');
    const headers = Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [name, fill(file, value)]),
    );
    const path = fill(file, request.target.replace('{{host}}', ''));
    return app.request(request.method, path, {
      from,
      headers,
      ...(request.body === '' ? {} : { raw: fill(file, request.body) }),
    });
  };
};

describe('the runnable requests of docs/http say what happens, within the limits as they are [practice 11.1]', () => {
  it.each(files)('%s', async (path) => {
    const { got, expected } = await new HttpFileRun(app, path, plain()).walk();
    expect(got.length).toBeGreaterThan(1);
    expect(got).toEqual(expected);
  });

  // Variables of the file and requests, and nothing that only one client knows: dynamic variables, prompts, names,
  // scripts.
  it.each(files)('%s holds nothing that one of the clients does not know', (path) => {
    const text = readFileSync(path, 'utf8');
    expect(text.match(/\{\{\s*\$|\{\{[^}]*\.|^(?:#|\/\/) *@|^[<>?] |^\?\?|\{%/gm)).toBeNull();
    // A value is a word, an address or a sentence: not every client fills variables into variables.
    expect([...text.matchAll(/^@\w+ = .*\{\{/gm)]).toEqual([]);
  });

  it('every operation of the API is in one of them [ASVS 13.1.1]', () => {
    const called = files.flatMap((path) =>
      readRequests(path, readFileSync(path, 'utf8')).map(
        ({ method, target }) => `${method} ${target.replace('{{host}}', '').split('?')[0]}`,
      ),
    );
    const lacking = [...readFileSync('docs/inventory.md', 'utf8').matchAll(/^\| ([A-Z]+) \| (\/v1\S*) \|/gm)].filter(
      ([, method, route = '']) => {
        const pattern = new RegExp(`^${method} ${route.replaceAll(/:\w+/g, '[^/]+')}$`);
        return !called.some((call) => pattern.test(call));
      },
    );
    const unsendable = [
      // An authenticator has to sign the new key: /docs/passkeys does it.
      /^POST \/v1\/auth\/passkeys$/,
      // Codes come with an app or a passkey; keys and clients are for routes that are open to machines.
      ...(existsSync('src/auth/factors/totp') ? [] : [/ \/v1\/auth\/recovery-codes\b/]),
      ...(existsSync('src/resources') ? [] : [/ \/v1\/(?:(?:api|service)-keys|clients)\b/]),
    ];
    const routes = lacking.map(([, method, route]) => `${method} ${route}`);
    expect(routes.filter((route) => !unsendable.some((pattern) => pattern.test(route)))).toEqual([]);
  });
});
