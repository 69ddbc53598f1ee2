import { createHash } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { problemTypes } from '../../../src/common/http/problem.js';
import { startApp, type TestApp } from '../../support/app.js';

const html = { headers: { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' } };
const types = problemTypes();
const slugs = types.map(({ name }) => name);

let app: TestApp;
beforeAll(async () => {
  app = await startApp({ instances: 1, env: { API_DOCS: 'false' } });
});
afterAll(() => app.close());

describe('Each problem type has a page, also where the API docs are off (RFC 9457 section 3.1.1, practice 6.1)', () => {
  it.each(types)(
    '/problems/$name says why and what to do, as JSON and as a page [practice 6.1] [ASVS 4.1.1]',
    async ({ name: slug, status, title, cause, remedy }) => {
      const json = await app.request('GET', `/problems/${slug}`);
      expect([json.status, json.headers['content-type'], json.headers['vary']]).toEqual([
        200,
        'application/json; charset=utf-8',
        'Accept',
      ]);
      expect(json.body).toEqual({ type: `/problems/${slug}`, title, status, cause, remedy });
      const page = await app.request('GET', `/problems/${slug}`, html);
      expect([page.status, page.headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
      for (const text of [title, `HTTP status ${status}`, '<a href="/problems">']) expect(page.text).toContain(text);
    },
  );

  it('what a refusal says about its type is where the page is', async () => {
    const refusal = await app.request('GET', '/v1/users/me');
    expect(refusal.status).toBe(401);
    expect((await app.request('GET', refusal.body.type as string)).body).toMatchObject({
      type: refusal.body.type,
      status: 401,
      title: refusal.body.title,
    });
  });

  it('every type that the code throws is declared, and every text of it is written for callers', () => {
    const code = globSync('src/**/*.ts', { exclude: ['src/generated/**'] })
      .map((file) => readFileSync(file, 'utf8'))
      .join('\n');
    const thrown = new Set([...code.matchAll(/new Problem\(\s*'([^']+)'/g)].map(([, slug]) => slug));
    expect(thrown.size).toBeGreaterThan(5);
    expect([...thrown].filter((slug) => !slugs.some((known) => known === slug))).toEqual([]);
    for (const { name: slug, cause, remedy, title } of types) {
      for (const text of [cause, remedy])
        expect([slug, text]).toEqual([
          slug,
          expect.stringMatching(/^(?!.*(?:SQL|Prisma|Fastify|Nest|Redis|stack|src\/)).{30,}\.$/),
        ]);
      expect(title).not.toMatch(/\.$/);
    }
  });

  it('/problems lists them all, with links that lead somewhere', async () => {
    expect((await app.request('GET', '/problems')).body.items.map(({ type }: { type: string }) => type)).toEqual(
      slugs.map((slug) => `/problems/${slug}`),
    );
    const { text } = await app.request('GET', '/problems', html);
    expect([...text.matchAll(/href="(\/problems\/[^"]+)"/g)].map(([, href]) => href)).toEqual(
      slugs.map((slug) => `/problems/${slug}`),
    );
  });

  it('runs nothing and loads nothing: one style sheet, known by its hash [ASVS 3.4.3]', async () => {
    const { text, headers } = await app.request('GET', '/problems', html);
    const style = /<style>([\s\S]*)<\/style>/.exec(text)?.[1] ?? '';
    const hash = createHash('sha256').update(style).digest('base64');
    expect(headers['content-security-policy']).toBe(
      `default-src 'none'; style-src 'sha256-${hash}'; img-src data:; base-uri 'none'; form-action 'none'; ` +
        `frame-ancestors 'none'`,
    );
    expect(text).not.toMatch(/<script|\son\w+=|style=|https?:\/\//);
  });

  it.each(['nothing', 'constructor', '__proto__', 'toString', 'Not-found', 'not-found.'])(
    'asks for /problems/%s: 404, as a problem',
    async (slug) => {
      expect(await app.request('GET', `/problems/${slug}`, html)).toMatchObject({
        status: 404,
        body: { type: '/problems/not-found' },
      });
    },
  );

  it('puts markup into the address: refused, and none of it is repeated [practice 3.3] [ASVS 1.2.1]', async () => {
    for (const slug of ['%3Cscript%3Ealert(1)%3C%2Fscript%3E', '%22onload=%22alert(1)', "'%3E%3Cimg%20src=x%3E"]) {
      const { status, headers, text } = await app.request('GET', `/problems/${slug}`, html);
      expect([status, headers['content-type']]).toEqual([400, 'application/problem+json; charset=utf-8']);
      expect(text).not.toMatch(/alert|<img|script/);
    }
  });

  it.each([
    ['text/html', 'text/html'],
    ['application/json', 'application/json'],
    ['*/*', 'application/json'],
    ['application/*, text/html;q=0.9', 'application/json'],
    ['text/*;q=0.5, application/json;q=0.4', 'text/html'],
    ['text/html;q=0, */*', 'application/json'],
    ['TEXT/HTML', 'text/html'],
    ['application/problem+json', 'application/json'],
    ['image/png', 'application/json'],
    ['text/html;q=0', 'application/json'],
    ['text/html;q=abc', 'application/json'],
    ['', 'application/json'],
  ])('Accept: "%s" is answered in %s', async (accept, type) => {
    const { status, headers } = await app.request('GET', '/problems', { headers: { accept } });
    expect([status, headers['content-type']]).toEqual([200, `${type}; charset=utf-8`]);
  });
});
