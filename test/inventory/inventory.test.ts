import { readFileSync } from 'node:fs';
import { Controller, Get, Module, Query } from '@nestjs/common';
import { ApiNoContentResponse } from '@nestjs/swagger';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Can } from '../../src/common/access/access.decorators.js';
import { ownActions } from '../../src/common/events/security-events.js';
import { RouteTable } from '../../src/common/http/route-table.js';
import { inventory } from '../../src/inventory/index.js';
import { inventoryOf } from '../../src/inventory/inventory.js';
import { declaredBy } from '../../src/inventory/modules.js';
import { toMarkdown, toTable } from '../../src/inventory/print.js';
import { accountPermissions } from '../../src/users/users.permissions.js';
import { startApp, type TestApp } from '../support/app.js';
import { differences, readTable } from '../support/tables.js';

const rows = inventory();

describe('the committed inventory', () => {
  it('is printed: `npm run inventory --silent -- --markdown > docs/inventory.md` [A9-1] [ASVS 8.1.1]', () => {
    expect(
      differences(readTable(readFileSync('docs/inventory.md', 'utf8')), readTable(toMarkdown(rows, ownActions()))),
    ).toEqual([]);
    const listed = [...readFileSync('docs/inventory.md', 'utf8').matchAll(/^- `(\w+)`$/gm)].map(([, name]) => name);
    expect(listed).toEqual(ownActions());
  });

  it('differs in a cell, lacks a row, has one too many: each is named', () => {
    const committed = readTable(toTable(rows));
    const [first, second, ...others] = rows as [(typeof rows)[0], (typeof rows)[0], ...typeof rows];
    const changed = readTable(toTable([{ ...first, 'step-up': 'never' }, { ...second, path: '/new' }, ...others]));
    expect(differences(committed, committed)).toEqual([]);
    expect(differences(committed, changed)).toEqual([
      `${first.method} ${first.path}, step-up: never, and the committed file says ${first['step-up']}`,
      `${second.method} ${second.path}: in the committed file alone`,
      `${second.method} /new: not in the committed file`,
    ]);
  });
});

describe('router, OpenAPI document and inventory are one [A9-1] [ASVS 8.1.1] [ASVS 13.4.5]', () => {
  const origin = 'https://app.example.org';
  let app: TestApp;

  beforeAll(async () => {
    app = await startApp({ instances: 1, env: { CORS_ORIGINS: origin } });
  });
  afterAll(() => app.close());

  const named = rows.map(({ method, path }) => `${method} ${path}`);

  it('the router of the running service has the routes of the inventory, HEAD beside each GET, and no other', () => {
    const expected = named.flatMap((route) =>
      route.startsWith('GET ') ? [route, route.replace('GET', 'HEAD')] : [route],
    );
    expect(app.on(0).service.app.get(RouteTable, { strict: false }).list().toSorted()).toEqual(expected.toSorted());
  });

  // With: api-docs.
  it('the document publishes what the inventory says; left out are the pages about the API', async () => {
    const { body } = await app.request('GET', '/openapi.json');
    const published = Object.entries(body.paths as Record<string, object>).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`),
    );
    const isIn = (cell: string) =>
      rows.filter((row) => row.OpenAPI === cell).map(({ method, path }) => `${method} ${path}`);
    expect(published.toSorted()).toEqual(isIn('yes').toSorted());
    expect(isIn('-').filter((route) => !/^GET \/(docs(\/[\w.-]+)?|openapi\.json)$/.test(route))).toEqual([]);
  });

  // With: headers.
  it('a preflight is told the methods of the inventory, and credentials where it says so [practice 8.2]', async () => {
    for (const { method, path, CORS } of rows) {
      const headers = { origin, 'access-control-request-method': method };
      const answer = await app.request('OPTIONS', path.replaceAll(/:\w+/g, '01890000-0000-7000-8000-000000000000'), {
        headers,
      });
      const methods = answer.headers['access-control-allow-methods']?.replaceAll(',', '');
      expect([
        method,
        path,
        `${methods}${answer.headers['access-control-allow-credentials'] === 'true' ? ', credentials' : ''}`,
      ]).toEqual([method, path, CORS]);
    }
  });

  it('what everybody may read is cached as the inventory says [ASVS 14.3.2]', async () => {
    const readable = rows.filter(
      ({ method, path, access }) => method === 'GET' && access === 'public' && !path.includes(':'),
    );
    expect(readable.length).toBeGreaterThan(0);
    for (const { path, cache } of readable)
      expect([path, (await app.request('GET', path)).headers['cache-control'] ?? '-']).toEqual([path, cache]);
  });
});

describe('a handler that declares too little', () => {
  it('is not printed but named: access, input and answer', () => {
    @Controller('v1/careless')
    class Careless {
      @Get('open')
      @ApiNoContentResponse()
      open() {}

      @Get('formless')
      @Can(accountPermissions.read)
      formless(@Query() query: Record<string, string>) {
        return query;
      }
    }
    @Module({ imports: [{ module: class Dynamic {}, controllers: [Careless] }] })
    class Extra {}
    const attempt = () => inventoryOf(declaredBy(Extra));
    expect(attempt).toThrow('Careless.open declares neither @Can(...) nor @Public()');
    expect(attempt).toThrow('Careless.formless takes a query without a DTO class');
    expect(attempt).toThrow('Careless.formless declares no answer');
  });

  it('a module is imported in a form that the inventory does not know: it stops, and hides nothing', () => {
    @Module({ imports: [{ forwardRef: () => Object }] })
    class Extra {}
    expect(() => inventoryOf(declaredBy(Extra))).toThrow('cannot look into an import');
  });
});
