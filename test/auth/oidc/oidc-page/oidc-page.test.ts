import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiDocsModule } from '../../../../src/api-docs/index.js';
import { OidcPageModule } from '../../../../src/auth/index.js';
import { startSmallApp, type SmallApp } from '../../../security/small-app.js';

let app: SmallApp;
beforeAll(async () => {
  app = await startSmallApp({ modules: [ApiDocsModule, OidcPageModule] });
});
afterAll(() => app.close());

describe('the page on /docs/oidc (practice 3.3)', () => {
  it('runs scripts of its own origin only: none inline, no foreign host, no foreign form [ASVS 3.4.3]', async () => {
    const { status, headers, text } = await app.request('GET', '/docs/oidc');
    expect([status, headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
    const { headers: docs } = await app.request('GET', '/docs');
    expect(headers['content-security-policy']).toBe(docs['content-security-policy']);
    expect(text).not.toMatch(/<script(?! src="\/docs\/)|\son\w+=|style=|https?:\/\/|action=/);
  });

  it('keeps nothing in the browser and writes no HTML: what a provider says is text', async () => {
    const { text } = await app.request('GET', '/docs/oidc.js');
    expect(text).not.toMatch(
      /localStorage|sessionStorage|indexedDB|cookie|innerHTML|outerHTML|insertAdjacent|document\.write/,
    );
  });

  it.each([
    ['/docs/oidc.js', 'text/javascript; charset=utf-8'],
    ['/docs/pages.css', 'text/css; charset=utf-8'],
  ])('serves %s with its type, nosniff and no cache', async (path, type) => {
    const { status, headers } = await app.request('GET', path);
    expect([status, headers['content-type'], headers['x-content-type-options'], headers['cache-control']]).toEqual([
      200,
      type,
      'nosniff',
      'no-store',
    ]);
  });
});
