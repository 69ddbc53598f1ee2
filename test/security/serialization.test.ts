import { getMetadataStorage } from 'class-validator';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readConfig } from '../../src/config/index.js';
import { mailedToken, signUp, type Actor } from '../support/actors.js';
import { startApp, type TestApp } from '../support/app.js';
import {
  composed,
  invisible,
  lineEnds,
  plainText,
  separators,
  severalLines,
  unsafeText,
} from '../support/naughty-strings.js';
import { SamplesModule } from '../support/sample/samples.module.js';
import { createSample } from '../support/sample/samples.js';

let app: TestApp;
let alice: Actor;
beforeAll(async () => {
  app = await startApp({ modules: [SamplesModule], instances: 1, env: { RATE_LIMIT_SCALE: '100' } });
  alice = await signUp(app, 'alice');
});
afterAll(() => app.close());

const create = (fields: Record<string, unknown>) =>
  app.request('POST', '/v1/samples', { token: alice.token, body: { title: 'x', body: 'x', note: 'x', ...fields } });
const read = (id: unknown) => app.request('GET', `/v1/samples/${String(id)}`, { token: alice.token });
const rename = (name: string) => app.request('PATCH', '/v1/users/me', { token: alice.token, body: { name } });
const pointers = ({ body }: { body: { errors?: { pointer: string; code: string }[] } }) =>
  body.errors?.map(({ pointer, code }) => `${pointer} ${code}`).toSorted();

describe('Text is data: escaped where it leaves [practice 3.4] [ASVS 1.1.2] [ASVS 1.2.3] [ASVS 1.2.4]', () => {
  it('there are enough of them', () =>
    expect(new Set([...plainText, ...unsafeText, ...severalLines]).size).toBeGreaterThanOrEqual(150));

  it.each(plainText)(
    '%j as title, body and note of a sample, and as a name: the same text comes back [ASVS 1.1.1]',
    async (text) => {
      const { status, body: created } = await create({ title: text, body: text, note: text });
      expect(status).toBe(201);
      expect((await read(created.id)).body).toMatchObject({ title: text, body: text, note: text });
      expect(await rename(text)).toMatchObject({ status: 200, body: { name: text } });
    },
  );

  it('the rows hold the same texts: nothing is escaped before it is stored', async () => {
    const rows = await app.sql<{ title: string; body: string }>('SELECT title, body FROM samples');
    const stored = new Set(rows.filter(({ title, body }) => title === body).map(({ title }) => title));
    expect(plainText.filter((text) => !stored.has(text))).toEqual([]);
  });

  it.each(composed)('%j is kept in its composed form: one text has one spelling', async (text, form) => {
    const { body: created } = await create({ title: text, body: text, note: text });
    expect((await read(created.id)).body).toMatchObject({ title: form, body: form, note: form });
    expect((await rename(text)).body).toMatchObject({ name: form });
  });

  it.each([...severalLines, ...separators])(
    '%j in a field of several lines is kept, in one of a single line refused [ASVS 1.3.3]',
    async (text) => {
      const { status, body: created } = await create({ body: text, note: text });
      expect(status).toBe(201);
      expect((await read(created.id)).body).toMatchObject({ body: text, note: text });
      const refused = await create({ title: text });
      expect([refused.status, pointers(refused)]).toEqual([422, ['/title unsafe-text']]);
      expect((await rename(text)).status).toBe(422);
    },
  );

  it.each(lineEnds)(
    '%j, as another system ends its lines: kept with LF, in a field of one line refused',
    async (text, kept) => {
      const { status, body: created } = await create({ body: text, note: `x${text}` });
      expect(status).toBe(201);
      expect((await read(created.id)).body).toMatchObject({ body: kept, note: `x${kept}` });
      expect(pointers(await create({ title: `x${text}y` }))).toEqual(['/title unsafe-text']);
      expect(pointers(await rename(`x${text}y`))).toEqual(['/name unsafe-text']);
    },
  );

  it.each(invisible)(
    '%j as a name or a title: 422, because nobody could see it; the name is what it was [ASVS 2.2.1]',
    async (text) => {
      const before = (await app.request('GET', '/v1/users/me', { token: alice.token })).body.name as string;
      expect([pointers(await rename(text)), pointers(await create({ title: text }))]).toEqual([
        ['/name nothing-visible'],
        ['/title nothing-visible'],
      ]);
      expect((await app.request('GET', '/v1/users/me', { token: alice.token })).body).toMatchObject({ name: before });
    },
  );

  it.each(unsafeText)(
    '%j is refused in every field by the documented rule, and nothing is stored [ASVS 1.3.3]',
    async (text) => {
      const before = await app.sql('SELECT id FROM samples');
      const refused = await create({ title: text, body: text, note: text });
      expect([refused.status, pointers(refused)]).toEqual([
        422,
        ['/body unsafe-text', '/note unsafe-text', '/title unsafe-text'],
      ]);
      const renamed = await rename(text);
      expect([renamed.status, pointers(renamed)]).toEqual([422, ['/name unsafe-text']]);
      expect(await app.sql('SELECT id FROM samples')).toHaveLength(before.length);
    },
  );

  it('every free text that any route takes has that rule: a new field cannot forget it', () => {
    const { validationMetadatas } = getMetadataStorage() as unknown as {
      validationMetadatas: Map<Function, { propertyName: string; name?: string }[]>;
    };
    const rulesOf = new Map<string, Set<string>>();
    for (const [dto, rules] of validationMetadatas) {
      for (const { propertyName, name = '' } of rules) {
        const { format } = (Reflect.getMetadata('swagger/apiModelProperties', dto.prototype as object, propertyName) ??
          {}) as { format?: string };
        const field = `${dto.name}.${propertyName}`;
        // Secrets are taken byte for byte: they are hashed, and shown nowhere.
        if (format !== 'password') rulesOf.set(field, (rulesOf.get(field) ?? new Set()).add(name));
      }
    }
    const free = [...rulesOf].filter(([, rules]) => rules.has('isString') && !rules.has('matches'));
    expect(free.length).toBeGreaterThanOrEqual(8);
    expect(
      free.filter(([, rules]) => !rules.has('isSafeText') || !rules.has('hasLength')).map(([field]) => field),
    ).toEqual([]);
  });

  it('every text at once in one body: U+2028 and </script> survive the round trip [ASVS 1.2.3]', async () => {
    const body = [...plainText, ...severalLines, ...separators].join('\n');
    const { body: created } = await create({ body });
    const answer = await read(created.id);
    expect((JSON.parse(answer.text) as { body: string }).body).toBe(body.normalize('NFC'));
    expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
    // With: headers.
    expect(answer.headers['x-content-type-options']).toBe('nosniff');
  });
});

describe('Whoever writes an address: it is decoded once, and never again [ASVS 1.1.1]', () => {
  it.each(['%2531', '%252e%252e', '%25%32%66', '..%252f..%252fetc', '%255c', '&#49;', '%26%2349%3B'])(
    '/v1/samples/%s names no object, however often somebody else would decode it',
    async (id) => {
      expect((await app.request('GET', `/v1/samples/${id}`, { token: alice.token })).status).toBe(400);
    },
  );

  it('an id that is encoded, once or twice, is not that id', async () => {
    const { id } = await createSample(app, alice);
    const encoded = `%${id.charCodeAt(0).toString(16)}`;
    expect((await read(id)).status).toBe(200);
    expect((await read(encoded + id.slice(1))).status).toBe(400);
    expect((await read(encoded.replace('%', '%25') + id.slice(1))).status).toBe(400);
  });

  it.each(['scope=%256fwned', 'limit=%2531', 'scope=%26limit=1', 'scope=owned%26limit%3D1'])(
    '?%s: refused, the value is taken as it stands',
    async (query) => {
      expect((await app.request('GET', `/v1/samples?${query}`, { token: alice.token })).status).toBe(400);
    },
  );
});

describe('Values in headers cannot end them [ASVS 1.2.1] [ASVS 1.3.3]', () => {
  it('whatever title and body say, Location and ETag are of id and number, no header is added', async () => {
    const names = Object.keys((await create({})).headers).toSorted();
    for (const text of plainText) {
      const { headers } = await create({ title: text, body: text });
      expect(Object.keys(headers).toSorted()).toEqual(names);
      expect([headers['location'], headers['etag']]).toEqual([
        expect.stringMatching(/^\/v1\/samples\/[0-9a-f-]{36}$/),
        '"1"',
      ]);
    }
  });

  it.each(['x%0d%0aSet-Cookie:%20a=b', '%0aLocation:%20https://evil.example', '%E5%98%8A%E5%98%8DX:y', '%5cr%5cnX:y'])(
    '/v1/%s: no part of the address gets into a header',
    async (path) => {
      for (const target of [`/v1/${path}`, `/v1/samples/${path}`, `/v1/samples?scope=${path}`]) {
        const { status, headers } = await app.request('GET', target, { token: alice.token });
        expect([400, 404]).toContain(status);
        expect(JSON.stringify(headers)).not.toMatch(/evil|a=b|"x":/i);
      }
    },
  );

  it.each([
    'origin',
    'x-request-id',
    'user-agent',
    'referer',
    'if-none-match',
    'accept-language',
    'range',
    'access-control-request-headers',
  ])('the request header %s is not written back', async (name) => {
    const { headers } = await app.request('GET', '/v1/users/me', {
      token: alice.token,
      headers: { [name]: 'https://canary.example' },
    });
    expect(JSON.stringify(headers)).not.toContain('canary');
  });
});

describe('Templates and formats have no meaning in what people write', () => {
  it('a name full of them: kept as it is, and no mail computes or repeats it [ASVS 1.3.7] [ASVS 1.3.10]', async () => {
    const name = '{{7*7}} ${7*7} <%= 7*7 %> #{7*7} {0} %s%n%j $& $1 =?utf-8?q?x?=';
    expect(await rename(name)).toMatchObject({ status: 200, body: { name } });
    expect((await app.request('POST', '/v1/auth/register', { body: { email: alice.email } })).status).toBe(202);
    const { subject, text } = await app.mailTo(alice.email, 'You already have an account');
    expect(`${subject}\n${text}`).not.toMatch(/NaN|undefined|\[object|7\*7|%s|\$/);
    expect(app.logText()).not.toMatch(/\b7\*7\b/);
  });

  // With: logging.
  it.each(['%25s%25n%25j', '%25o%25O%25c', '%7B%7B7*7%7D%7D', '$%7Bjndi:ldap:%7D'])(
    '%s in an address: the log says how long it was, and nothing of it [ASVS 1.3.10]',
    async (path) => {
      const { headers } = await app.request('GET', `/${path}`, { headers: { 'user-agent': '%s %n %j %o {{7*7}}' } });
      for (let attempt = 0; attempt < 100; attempt++) {
        const line = app
          .logs()
          .find(
            (entry) => entry['http.request.id'] === headers['x-request-id'] && entry['event.action'] === 'http_request',
          );
        if (line !== undefined)
          return expect([line['url.path'], line['message']]).toEqual([
            `/[${path.length}]`,
            `GET /[${path.length}] 404`,
          ]);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      throw new Error('the request was not logged');
    },
  );

  it('the mail of a sign-up holds the public address and no other link [ASVS 1.2.2]', async () => {
    const email = 'links@example.org';
    const refused = await app.request('POST', '/v1/auth/register', {
      body: { email },
      headers: { 'host': 'evil.example', 'x-forwarded-host': 'evil.example' },
    });
    expect(refused.status).toBe(421);
    await app.request('POST', '/v1/auth/register', {
      body: { email },
      headers: { 'x-forwarded-host': 'evil.example', 'forwarded': 'host=evil.example' },
    });
    await mailedToken(app, email);
    const mails = app.outbox().filter(({ to }) => to === email);
    expect(mails).toHaveLength(1);
    expect(JSON.stringify(mails)).not.toMatch(/evil|javascript:|data:|file:/);
  });

  it('what leaves is bounded: an address of a mail at 254 characters [ASVS 4.2.5]', async () => {
    const before = app.outbox().length;
    expect(
      (
        await app.request('POST', '/v1/auth/register', {
          body: { email: `${'a'.repeat(64)}@${'b'.repeat(190)}.example.org` },
        })
      ).status,
    ).toBe(422);
    await app.mailQuiet();
    expect(app.outbox()).toHaveLength(before);
  });

  it.each([
    'javascript:alert(1)',
    'data:text/html,x',
    'file:///etc/passwd',
    'http://api.example.org',
    'https://user:password@api.example.org',
    'https://api.example.org/?next=x',
    '//api.example.org',
    'https://api.example.org/#x',
  ])('PUBLIC_URL=%s: links would be made of it, so the service does not start [ASVS 1.2.2]', (url) =>
    expect(() => readConfig({ PUBLIC_URL: url })).toThrow('PUBLIC_URL'),
  );
});
