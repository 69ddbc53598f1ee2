import { globSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { commands } from '../../../src/cli/commands.js';
// With: api-keys.
import { makeKey } from '../../auth/api-keys/keys.js';
// With: clients.
import { RegisteredClient } from '../../auth/clients/registered-client.js';
import { endBeside } from '../../cli/ends.js';
import { signUp, signUpAdministrator } from '../../support/actors.js';
import { startApp, type TestApp } from '../../support/app.js';
import { SamplesModule } from '../../support/sample/samples.module.js';

let app: TestApp;
const end = endBeside(() => app);

beforeAll(async () => {
  app = await startApp({ modules: [SamplesModule], env: { RATE_LIMIT_SCALE: '1000' } });
});
afterAll(() => app.close());

/** What stands for something of the incident, and what that is here. */
const placeholders: Record<string, () => Promise<string>> = {
  '<network>': async () => '198.51.100.7',
  // A lockdown that the line before has ended is over on every instance within a second.
  '<email>': async () => (await vi.waitFor(() => signUp(app, 'thief'), { timeout: 30_000, interval: 100 })).email,
  // With: api-keys.
  '<key>': async () => (await makeKey(app, await signUp(app, 'careless'))).key,
  // With: clients.
  '<client>': async () => {
    const admin = await signUpAdministrator(app);
    return (await RegisteredClient.create(app, admin, admin.userId)).id;
  },
};

const words = (line: string): string[] =>
  [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
const pages = ['docs/guides/response.md', ...globSync('docs/runbooks/*.md')].map((path) => readFileSync(path, 'utf8'));
const lines = pages.flatMap((page) =>
  [...page.matchAll(/`npm run cli -- (respond:[^`]*)`/g)].map(([, line = '']) => line),
);

describe('the runbooks hold: each response in them works as it stands there [practice 11.3]', () => {
  it('they have a command for each response', () => {
    const named = new Set(lines.map((line) => line.split(' ')[0]));
    const responses = commands.flatMap(({ name }) => (name.startsWith('respond:') ? [name] : []));
    expect(responses.filter((name) => !named.has(name))).toEqual([]);
  });

  it.each([...new Set(lines)])('%s', async (line) => {
    const [name = '', ...args] = await Promise.all(words(line).map(async (word) => placeholders[word]?.() ?? word));
    expect(await end(name, args)).toMatchObject({ code: 0, output: expect.not.stringMatching(/<\w+>/) });
  });
});
