import { expect, it } from 'vitest';
import type { SmallApp } from '../security/small-app.js';

// What holds for every page below /docs: the tests of each page say so for theirs.

/**
 * @param name of the page: `/docs/<name>`, with its script beside it.
 * @param more what its policy demands beside that of `/docs`.
 */
export function itIsADocsPage(name: string, app: () => SmallApp, more = ''): void {
  it('runs scripts of its own origin only: none inline, no foreign host, no foreign form [ASVS 3.4.3]', async () => {
    const { status, headers, text } = await app().request('GET', `/docs/${name}`);
    expect([status, headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
    const { headers: docs } = await app().request('GET', '/docs');
    expect(headers['content-security-policy']).toBe(`${docs['content-security-policy']}${more}`);
    expect(text).not.toMatch(/<script(?! (?:type="module" )?src="\/docs\/)|\son\w+=|style=|https?:\/\/|action=/);
  });

  it.each([`/docs/${name}.js`, '/docs/pages.js'])(
    '%s keeps nothing in the browser and writes no HTML',
    async (path) => {
      const { text } = await app().request('GET', path);
      expect(text).toContain("part('");
      expect(text).not.toMatch(
        /localStorage|sessionStorage|indexedDB|cookie|innerHTML|outerHTML|insertAdjacent|document\.write/,
      );
    },
  );

  it.each([
    [`/docs/${name}.js`, 'text/javascript; charset=utf-8', 'no-store'],
    ['/docs/pages.js', 'text/javascript; charset=utf-8', 'private, max-age=300'],
    ['/docs/pages.css', 'text/css; charset=utf-8', 'private, max-age=300'],
  ])('serves %s with its type, nosniff, and for how long it is kept: %s %s', async (path, type, cache) => {
    const { status, headers } = await app().request('GET', path);
    expect([status, headers['content-type']]).toEqual([200, type]);
    expect(headers['cache-control'] ?? 'no-store').toBe(cache);
    // With: headers.
    expect([headers['x-content-type-options'], headers['cache-control']]).toEqual(['nosniff', cache]);
  });
}
