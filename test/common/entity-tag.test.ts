import { Controller, Get, Module } from '@nestjs/common';
import { ApiOkResponse } from '@nestjs/swagger';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Public } from '../../src/common/access.decorators.js';
import { Conditional } from '../../src/common/entity-tag.js';
import { ViewField } from '../../src/common/view.js';
import { startApp, type TestApp } from '../support/app.js';

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

@Module({ controllers: [Tagged] })
class TaggedModule {}

let app: TestApp;
beforeAll(async () => {
  app = await startApp({ modules: [TaggedModule], broken: '/v1/tagged', instances: 1 });
});
afterAll(() => app.close());

describe('entity tags [practice 6.2]', () => {
  it('come from the version, also where the view does not show it', async () => {
    expect(await app.request('GET', '/v1/tagged/whole')).toMatchObject({ status: 200, headers: { etag: '"7"' }, body: { id: 'a' } });
    expect((await app.request('GET', '/v1/tagged/whole', { headers: { 'if-none-match': '"7"' } })).status).toBe(304);
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
