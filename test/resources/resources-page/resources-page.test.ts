import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiDocsModule } from '../../../src/api-docs/index.js';
import { ResourcesPageModule } from '../../../src/resources/index.js';
import { startSmallApp, type SmallApp } from '../../security/small-app.js';

let app: SmallApp;
beforeAll(async () => {
  app = await startSmallApp({ modules: [ApiDocsModule, ResourcesPageModule] });
});
afterAll(() => app.close());

describe('the page on /docs/resources (practice 3.3); test/browser/ attacks it', () => {
  it('runs scripts of its own origin only; text becomes HTML by the sanitiser alone [ASVS 3.4.3]', async () => {
    const { status, headers, text } = await app.request('GET', '/docs/resources');
    expect([status, headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
    const policy = headers['content-security-policy'] ?? '';
    expect(policy).toContain(
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
        "base-uri 'none'; form-action 'none';",
    );
    expect(policy).toMatch(/; require-trusted-types-for 'script'; trusted-types dompurify$/);
    expect(policy).not.toMatch(/unsafe|https?:|\*/);
    expect(text).not.toMatch(/<script(?! (?:type="module" )?src="\/docs\/)|\son\w+=|style=|https?:\/\/|action=/);
  });

  it('keeps nothing in the browser, writes no HTML, and asks the sanitiser for nodes', async () => {
    const { text } = await app.request('GET', '/docs/resources.js');
    expect(text).not.toMatch(
      /localStorage|sessionStorage|indexedDB|cookie|innerHTML|outerHTML|insertAdjacent|document\.write/,
    );
    expect(text).toContain('DOMPurify.sanitize(marked.parse(markdown), allowed)');
    expect(text).toContain('RETURN_DOM_FRAGMENT: true');
  });

  it.each([
    ['/docs/resources.js', 'no-store', 'const render'],
    ['/docs/marked.js', 'private, max-age=86400', 'marked'],
    ['/docs/purify.js', 'private, max-age=86400', 'DOMPurify'],
  ])('serves %s with its type and nosniff', async (path, cache, content) => {
    const { status, headers, text } = await app.request('GET', path);
    expect([status, headers['content-type'], headers['x-content-type-options'], headers['cache-control']]).toEqual([
      200,
      'text/javascript; charset=utf-8',
      'nosniff',
      cache,
    ]);
    expect(text).toContain(content);
  });
});
