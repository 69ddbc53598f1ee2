import { Body, Controller, Get, Post } from '@nestjs/common';
import { ApiOkResponse } from '@nestjs/swagger';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiDocsModule } from '../../src/api-docs/index.js';
import { Can, Public } from '../../src/common/access/access.decorators.js';
import { NullableField, TextField } from '../../src/common/http/fields.js';
import { ViewField } from '../../src/common/http/view.js';
import { accountPermissions } from '../../src/users/users.permissions.js';
import { startSmallApp, type SmallApp } from '../security/small-app.js';

class Credentials {
  @TextField({ min: 1, max: 10 })
  name: string;

  @NullableField()
  @TextField({ min: 1, max: 10 })
  note?: string | null;
}

class TokensView {
  @ViewField({ type: 'string' })
  accessToken: string;
}

class NestedView {
  @ViewField({ view: () => TokensView, nullable: true })
  one: TokensView | null;

  @ViewField({ view: () => TokensView, many: true })
  several: TokensView[];
}

@Controller('v1')
class DocumentedController {
  @Post('auth/login')
  @Public()
  @ApiOkResponse({ type: TokensView })
  login(@Body() { name }: Credentials): TokensView {
    return { accessToken: `token-of-${name}` };
  }

  @Get('users/me')
  @Can(accountPermissions.read)
  @ApiOkResponse({ type: TokensView })
  me(): TokensView {
    return { accessToken: 'x' };
  }

  @Get('users/nested')
  @Can(accountPermissions.read)
  @ApiOkResponse({ type: NestedView })
  nested(): NestedView {
    return { one: null, several: [] };
  }
}

let app: SmallApp;
beforeAll(async () => {
  app = await startSmallApp({ controllers: [DocumentedController], modules: [ApiDocsModule] });
});
afterAll(() => app.close());

describe('The OpenAPI document (practice 3.2, ASVS 4.1.1)', () => {
  it('is OpenAPI 3.1 and says per operation whether a token is needed, as @Can and @Public do', async () => {
    const { status, headers, body } = await app.request('GET', '/openapi.json');
    expect([status, headers['content-type']]).toEqual([200, 'application/json; charset=utf-8']);
    expect(body.openapi).toMatch(/^3\.1\./);
    expect(body.paths['/v1/auth/login'].post.security).toEqual([]);
    expect(body.paths['/v1/users/me'].get.security).toEqual([{ bearer: [] }]);
    expect(body.components.securitySchemes.bearer).toMatchObject({ type: 'http', scheme: 'bearer' });
  });

  it('names the views inside of views: no reference leads nowhere', async () => {
    const { body } = await app.request('GET', '/openapi.json');
    const tokens = { $ref: '#/components/schemas/TokensView' };
    expect(body.components.schemas.NestedView.properties).toMatchObject({
      one: { anyOf: [tokens, { type: 'null' }] },
      several: { type: 'array', items: tokens },
    });
    const references = [...JSON.stringify(body).matchAll(/"\$ref":"#\/components\/schemas\/(\w*)"/g)].map(
      ([, name = '']) => name,
    );
    expect(references.filter((name) => body.components.schemas[name] === undefined)).toEqual([]);
  });

  it('publishes the rules of the DTOs, in the words of 3.1 (no `nullable`)', async () => {
    const { Credentials: schema } = (await app.request('GET', '/openapi.json')).body.components.schemas;
    expect(schema.properties.name).toMatchObject({ type: 'string', minLength: 1, maxLength: 10 });
    expect(schema.properties.note.type).toEqual(['string', 'null']);
    expect(schema.required).toEqual(['name']);
  });

  it('every operation documents its errors as problems', async () => {
    const { body } = await app.request('GET', '/openapi.json');
    const operations = Object.values(
      body.paths as Record<string, Record<string, { responses: Record<string, unknown> }>>,
    ).flatMap((path) => Object.values(path));
    expect(operations.length).toBeGreaterThan(2);
    for (const { responses } of operations)
      expect(responses).toMatchObject({ 500: { $ref: '#/components/responses/internal-error' } });
    expect(body.components.schemas.Problem.required).toContain('requestId');
  });

  it('does not list itself', async () => {
    const { body } = await app.request('GET', '/openapi.json');
    expect(Object.keys(body.paths).filter((path) => path.startsWith('/docs') || path === '/openapi.json')).toEqual([]);
  });
});

describe('The page on /docs (practice 3.3)', () => {
  it('runs scripts of its own origin only: none inline, no eval, no frame, no foreign host [ASVS 3.4.3]', async () => {
    const { status, headers, text } = await app.request('GET', '/docs');
    expect([status, headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
    const policy = headers['content-security-policy'] ?? '';
    expect(policy).toContain("default-src 'none'; script-src 'self'; ");
    expect(policy).not.toMatch(/unsafe-eval|https?:|\*/);
    expect(/script-src ([^;]*)/.exec(policy)?.[1]).toBe("'self'");
    expect(text).not.toMatch(/<script(?! src="\/docs\/)|\son\w+=|style=|https?:\/\//);
    // With: headers.
    expect(headers['strict-transport-security']).toBeDefined();
  });

  it.each([
    ['/docs/start.js', 'text/javascript; charset=utf-8'],
    ['/docs/swagger-ui-bundle.js', 'text/javascript; charset=utf-8'],
    ['/docs/swagger-ui.css', 'text/css; charset=utf-8'],
  ])('serves %s with its type and nosniff', async (path, type) => {
    const { status, headers } = await app.request('GET', path);
    expect([status, headers['content-type']]).toEqual([200, type]);
    // With: headers.
    expect(headers['x-content-type-options']).toBe('nosniff');
  });

  it.each([
    '/docs/',
    '/docs/index.html',
    '/docs/swagger-ui.css.map',
    '/docs/package.json',
    '/docs/../package.json',
    '/docs-json',
    '/api',
  ])('asks for %s: 404, no file but the named ones [A8-8] [ASVS 13.4.7]', async (path) => {
    expect((await app.request('GET', path)).status).toBe(404);
  });

  it('asks for /docs/%2e%2e%2fpackage.json: 400, for a path has one spelling [A8-8] [ASVS 13.4.7]', async () => {
    expect((await app.request('GET', '/docs/%2e%2e%2fpackage.json')).status).toBe(400);
  });
});
