import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiDocsModule } from '../../../src/api-docs/index.js';
import { ResourcesPageModule } from '../../../src/resources/index.js';
import { itIsADocsPage } from '../../api-docs/pages.js';
import { startSmallApp, type SmallApp } from '../../security/small-app.js';

let app: SmallApp;
beforeAll(async () => {
  app = await startSmallApp({ modules: [ApiDocsModule, ResourcesPageModule] });
});
afterAll(() => app.close());

describe('the page on /docs/resources (practice 3.3); test/browser/ attacks it', () => {
  const more = "; require-trusted-types-for 'script'; trusted-types dompurify";
  itIsADocsPage('resources', () => app, more);

  it('text becomes HTML by the sanitiser alone, whatever a script of it does [ASVS 3.4.3]', async () => {
    const { headers } = await app.request('GET', '/docs/resources');
    const policy = headers['content-security-policy'] ?? '';
    expect(policy).toContain(
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
        "base-uri 'none'; form-action 'none';",
    );
    expect(policy).toMatch(/; require-trusted-types-for 'script'; trusted-types dompurify$/);
    expect(policy).not.toMatch(/unsafe|https?:|\*/);
  });

  it('asks the sanitiser for nodes', async () => {
    const { text } = await app.request('GET', '/docs/resources.js');
    expect(text).toContain('DOMPurify.sanitize(marked.parse(markdown), allowed)');
    expect(text).toContain('RETURN_DOM_FRAGMENT: true');
  });

  it.each([
    ['/docs/marked.js', 'marked'],
    ['/docs/purify.js', 'DOMPurify'],
  ])('serves %s, which is the same for a day, with its type and nosniff', async (path, content) => {
    const { status, headers, text } = await app.request('GET', path);
    expect([status, headers['content-type'], headers['cache-control']]).toEqual([
      200,
      'text/javascript; charset=utf-8',
      'private, max-age=86400',
    ]);
    // With: headers.
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect(text).toContain(content);
  });
});
