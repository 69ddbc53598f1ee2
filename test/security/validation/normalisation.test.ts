import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { normaliseEmail } from '../../../src/common/normalisation.js';
import { signUp, type Actor } from '../../support/actors.js';
import { startApp, type TestApp } from '../../support/app.js';
import { SamplesModule } from '../../support/sample/samples.module.js';

let app: TestApp;
let alice: Actor;

beforeAll(async () => {
  app = await startApp({ modules: [SamplesModule], instances: 1 });
  alice = await signUp(app, 'alice');
});
afterAll(() => app.close());
afterEach(() => void vi.restoreAllMocks());

// Two kinds of marks in the wrong order: the worst case of canonical reordering. 16,000 of each took the service two
// seconds.
const marks = (count: number) => '\u0315'.repeat(count / 2) + '\u0316'.repeat(count / 2);

describe('normalisation costs what the text is worth [A4-3] [ASVS 15.2.2] [practice 3.1]', () => {
  it.each([
    ['POST', '/v1/auth/login', { email: `a${marks(32_000)}@example.org`, password: 'x' }],
    [
      'POST',
      '/v1/auth/email/verify',
      { token: 'x', password: 'violet harbour counts to nine', name: `a${marks(32_000)}` },
    ],
    ['POST', '/v1/samples', { title: 't', body: `a${marks(19_000)}` }],
  ])(
    '%s %s with thousands of combining marks: 422, and no text of that kind is ever normalised',
    async (method, path, body) => {
      const normalise = vi.spyOn(String.prototype, 'normalize');
      const { status } = await app.request(method, path, {
        token: path === '/v1/samples' ? alice.token : undefined,
        body,
      });
      const longest = Math.max(0, ...normalise.mock.contexts.map((text) => String(text).length));
      expect([status, longest < 1_000]).toEqual([422, true]);
    },
  );

  it('writes 30 marks in a row, more than any language has: stored; with one more: 422 unsafe-text', async () => {
    const write = (title: string) =>
      app.request('POST', '/v1/samples', { token: alice.token, body: { title, body: '' } });
    const kept = await write(`a${'\u0316'.repeat(30)}`);
    const refused = await write(`a${'\u0316'.repeat(31)}`);
    expect([kept.status, refused.status, refused.body.errors]).toMatchObject([
      201,
      422,
      [{ pointer: '/title', code: 'unsafe-text' }],
    ]);
  });
});

describe('an address has one spelling [A6-2] [A2-2]', () => {
  it.each([
    ['a soft hyphen', 'alice@ex\u00adample.org', 'alice@example.org'],
    ['a circled letter', 'alice@\u24d4xample.org', 'alice@example.org'],
    ['a zero-width space', 'alice@example\u200b.org', 'alice@example.org'],
    ['an ideographic full stop', 'alice@example\u3002org', 'alice@example.org'],
    ['an international domain', 'Alice@B\u00fccher.example', 'alice@xn--bcher-kva.example'],
    ['what is no domain: as it is, to be refused', 'alice@\u24d4x ample.org', 'alice@\u24d4x ample.org'],
    ['a percent sign: never decoded', 'alice@\u24d4x%61mple.org', 'alice@\u24d4x%61mple.org'],
  ])('%s in the domain', (_, written, kept) => expect(normaliseEmail(written)).toBe(kept));

  it('registers with a disguised domain what another has registered: one address, one account', async () => {
    const disguised = alice.email.replace('@e', '@\u24d4');
    const before = await app.sql('SELECT id FROM users');
    expect((await app.request('POST', '/v1/auth/register', { body: { email: disguised } })).status).toBe(202);
    await app.mailQuiet();
    expect(app.outbox().filter(({ to }) => /[^\x20-\x7e]/.test(to))).toEqual([]);
    expect(await app.sql('SELECT id FROM users')).toEqual(before);
    expect(
      (await app.request('POST', '/v1/auth/login', { body: { email: disguised, password: alice.password } })).status,
    ).toBe(200);
  });
});
