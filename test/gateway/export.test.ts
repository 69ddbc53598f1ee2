import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { edgeRoutes, type EdgeRoute } from '../../scripts/gateway/edge-routes.js';
import { nginxFiles } from '../../scripts/gateway/nginx.js';
import { defineRateLimits, type RateLimits } from '../../src/common/http/rate-limit.js';
import { inventory } from '../../src/inventory/index.js';
import type { InventoryRow } from '../../src/inventory/inventory.js';
import { limitOf } from '../support/declared-limits.js';
import { declaredEdge } from './edge.js';

const none: RateLimits = { name: 'api', limits: [] };
const [sample] = inventory();
const rowOf = (changes: Partial<InventoryRow>): InventoryRow => ({
  ...(sample as InventoryRow),
  path: '/v1/x',
  ...changes,
});
const exported = (changes: Partial<InventoryRow>, limits = none): EdgeRoute | undefined =>
  edgeRoutes({ rows: [rowOf(changes)], limitsOf: () => limits, maxBodyBytes: 9 })[0];

describe('what the gateway is told of the routes [practice 9.1] [practice 9.3]', () => {
  it('the committed files are those of the declared routes', async () => {
    for (const [name, text] of Object.entries(nginxFiles(await declaredEdge())))
      expect(readFileSync(`deploy/gateway/exported/${name}`, 'utf8'), 'npm run gateway:export nginx').toBe(text);
  });

  it('every declared route is there, with its access, and nothing else', async () => {
    const { routes } = await declaredEdge();
    const told = routes.map(({ method, path, permission }) => [method, path, permission ?? 'public']);
    const openAs = (access: string) => (access.startsWith('signed by ') ? 'public' : access);
    expect(told).toEqual(inventory().map(({ method, path, access }) => [method, path, openAs(access)]));
  });

  it('a route that a sender outside signs is open to guests: the service verifies the signature [A10-5]', () => {
    const route = exported({ method: 'POST', access: 'signed by payments', callers: 'whoever has the secret' });
    expect(route).toMatchObject({ permission: undefined, callers: ['guest'], maxBodyBytes: 9, isIdempotent: false });
  });

  it.each([
    [
      'an access that is neither public nor a permission',
      { access: '-', callers: 'people' },
      /neither public nor a permission/,
    ],
    ['callers that nobody knows', { callers: 'robots' }, /its callers \(robots\) are not known/],
    ['a public route that has no guests', { access: 'public', callers: 'people' }, /contradict each other/],
    ['a permission that guests have', { access: 'resource:read', callers: 'anybody' }, /contradict each other/],
    ['a method that is every method', { method: 'ALL' }, /declare one of GET, POST/],
    ['a path with a star', { path: '/v1/files/*' }, /whole segments/],
    ['a path with a pattern', { path: '/v1/files/:id(\\d+)' }, /whole segments/],
    [
      'a private answer that caches may share',
      { access: 'resource:read', callers: 'people', cache: 'public, max-age=9' },
      /say no-store/,
    ],
  ] as const)('%s is refused with the route and the fix, instead of being left open', (_, changes, fix) => {
    expect(() => exported(changes)).toThrow(fix);
    expect(() => exported(changes)).toThrow(/^(?:\w+) \/v1\//);
  });

  it('a route as it is: parameters, methods that are repeated, bodies', () => {
    const route = exported({ method: 'DELETE', path: '/v1/things/:id', access: 'public', callers: 'anybody' });
    expect(route).toMatchObject({ segments: ['v1', 'things', undefined], isIdempotent: true, maxBodyBytes: 9 });
    expect(exported({ method: 'GET' })?.maxBodyBytes).toBe(0);
    expect(exported({ method: 'PATCH' })?.isIdempotent).toBe(false);
  });

  it('limits that only some of the requests of a network count for stay with the service', () => {
    const limits = defineRateLimits('export-test', [
      { name: 'export-test-network', requests: 5, windowSeconds: 60, per: 'network' },
      { name: 'export-test-unknown', requests: 2, windowSeconds: 60, per: 'network', from: 'unknown devices' },
      { name: 'export-test-account', requests: 3, windowSeconds: 60, per: 'account' },
    ]);
    expect(exported({}, limits)?.limits.map(({ name }) => name)).toEqual(['export-test-network']);
  });

  // With: rate-limiting.
  it('no limit of the edge is below that of the service, also between two windows', async () => {
    const files = nginxFiles(await declaredEdge());
    const zones = [...(files['routes.conf'] ?? '').matchAll(/zone=(\w+):10m rate=(\d+)r\/m/g)];
    expect(zones.length).toBeGreaterThan(5);
    for (const [, name = '', rate] of zones) {
      const { requests, windowSeconds } = limitOf(name.replaceAll('_', '-'));
      expect(Number(rate)).toBeGreaterThan((requests * 60) / windowSeconds);
      expect(files['limits.conf']).toContain(`limit_req zone=${name} burst=${2 * requests} nodelay;`);
    }
  });
});
