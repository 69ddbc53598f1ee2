import { Controller, Get, HttpCode, Module, Patch } from '@nestjs/common';
import { ApiOkResponse } from '@nestjs/swagger';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Public } from '../../../src/common/access/access.decorators.js';
import { ApiIfMatch, Conditional, IfMatch } from '../../../src/common/http/entity-tag.js';
import { ViewField } from '../../../src/common/http/view.js';
import { startApp, type TestApp } from '../../support/app.js';

class TaggedView {
  @ViewField({ type: 'string' })
  id: string;
}

@Controller('v1/tagged')
class Tagged {
  @Get('whole')
  @Public()
  @Conditional()
  @ApiOkResponse({ type: TaggedView })
  whole() {
    return { id: 'a', version: 7 };
  }

  @Get('forgotten')
  @Public()
  @Conditional()
  @ApiOkResponse({ type: TaggedView })
  forgotten() {
    return { id: 'a' };
  }
}

@Controller('v1/tagged')
class Changed {
  @Patch('whole')
  @HttpCode(200)
  @Public()
  @ApiIfMatch()
  @ApiOkResponse({ type: TaggedView })
  change(@IfMatch() version: number) {
    return { id: `version ${version}` };
  }
}

@Module({ controllers: [Tagged, Changed] })
class TaggedModule {}

let app: TestApp;
beforeAll(async () => {
  app = await startApp({ modules: [TaggedModule], broken: '/v1/tagged', instances: 1 });
});
afterAll(() => app.close());

describe('entity tags [practice 6.2]', () => {
  it('come from the version, also where the view does not show it', async () => {
    expect(await app.request('GET', '/v1/tagged/whole')).toMatchObject({
      status: 200,
      headers: { etag: '"7"' },
      body: { id: 'a' },
    });
    expect((await app.request('GET', '/v1/tagged/whole', { headers: { 'if-none-match': '"7"' } })).status).toBe(304);
  });

  it.each(['W/"7"', '"6", "7"', '"6",W/"7"', '*'])(
    'the caller has it, as a proxy or a cache writes it, %s: 304',
    async (tag) => {
      expect((await app.request('GET', '/v1/tagged/whole', { headers: { 'if-none-match': tag } })).status).toBe(304);
    },
  );

  it.each([
    ['"7"', 200],
    ['W/"7"', 200],
    ['"7-1z"', 200],
    ['W/"7-1z", "7"', 200],
    ['W/"8", "7"', 400],
    ['*', 428],
    ['7', 412],
    ['w/"7"', 412],
    ['W/W/"7"', 412],
    ['"7", ', 400],
    ['"of another service"', 412],
  ])('a change is based on %s: %i', async (tag, status) => {
    const answer = await app.request('PATCH', '/v1/tagged/whole', { headers: { 'if-match': tag } });
    expect(answer.status).toBe(status);
    if (status === 200) expect(answer.body.id).toBe('version 7');
  });

  it('an answer without a version: 500, nothing leaves, and the service lives', async () => {
    for (const tag of ['"7"', '*']) {
      const answer = await app.request('GET', '/v1/tagged/forgotten', { headers: { 'if-none-match': tag } });
      expect(answer).toMatchObject({ status: 500, body: { type: '/problems/internal-error' } });
      expect(answer.headers).not.toHaveProperty('etag');
    }
    expect((await app.request('GET', '/v1/tagged/whole')).status).toBe(200);
  });
});
