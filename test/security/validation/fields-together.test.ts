import { Body, Controller, Module, Post } from '@nestjs/common';
import { ApiCreatedResponse } from '@nestjs/swagger';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Public } from '../../../src/common/access/access.decorators.js';
import { OnlyWith } from '../../../src/common/http/fields-together.js';
import { ChoiceField, OptionalField, TextField } from '../../../src/common/http/fields.js';
import { ViewField } from '../../../src/common/http/view.js';
import { signUp, type Actor } from '../../support/actors.js';
import { startApp, type TestApp } from '../../support/app.js';
import { documentOf } from '../../support/open-api.js';
import { SamplesModule } from '../../support/sample/samples.module.js';

class Delivery {
  @ChoiceField(['letter', 'parcel', 'pick-up'])
  kind: string;

  @OptionalField()
  @OnlyWith('kind', ['letter', 'parcel'])
  @TextField({ min: 1, max: 100 })
  street?: string;
}

class DeliveryView {
  @ViewField({ type: 'string' })
  kind: string;
}

@Controller('v1/deliveries')
class DeliveriesController {
  @Post()
  @Public()
  @ApiCreatedResponse({ type: DeliveryView })
  create(@Body() delivery: Delivery): DeliveryView {
    return delivery;
  }
}

@Module({ controllers: [DeliveriesController] })
class DeliveriesModule {}

describe('validation: fields that must agree with each other [practice 3.1] [ASVS 2.2.3] [ASVS 2.1.2]', () => {
  let app: TestApp;
  let alice: Actor;
  beforeAll(async () => {
    app = await startApp({ modules: [SamplesModule, DeliveriesModule], instances: 1 });
    alice = await signUp(app, 'alice');
  });
  afterAll(() => app.close());

  const order = (body: object) => app.request('POST', '/v1/deliveries', { body });
  const list = (query: string) => app.request('GET', `/v1/samples?${query}`, { token: alice.token });

  it.each([[{ kind: 'letter', street: 'High Street' }], [{ kind: 'pick-up' }]])('%j agrees: taken', async (body) => {
    expect((await order(body)).status).toBe(201);
  });

  it.each([
    [{ kind: 'pick-up', street: 'High Street' }],
    [{ kind: 'drone', street: 'High Street' }],
    [{ street: 'High Street' }],
  ])('%j does not: 422 with a pointer and a stable code, whatever the other field is', async (body) => {
    const refused = await order(body);
    expect(refused).toMatchObject({ status: 422, body: { type: '/problems/validation-failed' } });
    expect(refused.body.errors).toContainEqual({
      pointer: '/street',
      code: 'not-together',
      message: 'street may be sent only with kind letter or parcel',
    });
  });

  it('searches in what is public, where a search would cost with the table: 400 with a pointer [A4-3]', async () => {
    expect(await list('q=minutes&scope=public')).toMatchObject({
      status: 400,
      body: { errors: [{ pointer: 'query:q', code: 'not-together' }] },
    });
    for (const query of ['q=minutes', 'q=minutes&scope=shared', 'scope=public'])
      expect((await list(query)).status).toBe(200);
  });

  it('declares the rule', () => {
    expect(documentOf(app).components?.schemas?.['Delivery']).toMatchObject({
      properties: { street: { description: 'Only with kind letter or parcel.' } },
    });
  });
});
