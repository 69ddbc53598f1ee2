import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { webhookKey, webhookMac } from '../../src/common/standard-webhooks.js';
import { hmacOfBody, defineWebhook, standardWebhooks } from '../../src/webhooks/index.js';
import type { TestApp } from '../support/app.js';
import { inventoryWithSamples } from '../support/inventory.js';
import { failing, received, SampleWebhooksModule } from './sample-webhooks.js';
import { delivery, post, push, secrets, signatureOf, startWebhooks, traces } from './webhooks.js';

let app: TestApp;
beforeAll(async () => {
  app = await startWebhooks();
});
afterAll(() => app.close());

describe('an honest sender', () => {
  it('is handled once, and gets 204', async () => {
    const sent = delivery(app);
    expect(await post(app, sent)).toMatchObject({ status: 204, text: '' });
    expect(await traces(app, sent)).toEqual([1, 1]);
  });

  it('signs the bytes alone: the same', async () => {
    const sent = push();
    expect((await post(app, sent, 'forge')).status).toBe(204);
    expect(await traces(app, sent)).toEqual([1, 1]);
  });

  it('signs by either of two secrets, or by both, while it changes them', async () => {
    const sent = [secrets.payments, secrets.next].map((secret) => delivery(app, { secret }));
    const both = delivery(app);
    const { 'webhook-id': id = '', 'webhook-timestamp': at = '', 'webhook-signature': one } = both.headers;
    const list = `v1a,of-another-version ${signatureOf(secrets.ledger, id, at, both.raw)} ${one}`;
    sent.push({ ...both, headers: { ...both.headers, 'webhook-signature': list } });
    for (const each of sent) {
      expect((await post(app, each)).status).toBe(204);
      expect(await traces(app, each)).toEqual([1, 1]);
    }
  });

  it.each([-290, 290])('has a clock that is %i seconds off', async (seconds) => {
    const sent = delivery(app, { at: Math.floor(app.clock.now().getTime() / 1000) + seconds });
    expect((await post(app, sent)).status).toBe(204);
  });

  it('adds fields, also inside: they are dropped, and the rest counts [ASVS 15.3.3]', async () => {
    const raw = '{"type":"paid","api_version":"2026-01","data":{"id":"pay_new","livemode":true,"toString":1}}';
    expect((await post(app, delivery(app, { raw }))).status).toBe(204);
    expect(received.at(-1)).toEqual({ type: 'paid', data: { id: 'pay_new' } });
  });

  it('tries again what has failed, signed anew: it is handled [ASVS 2.3.3]', async () => {
    const sent = delivery(app);
    failing.add(sent.payment);
    expect((await post(app, sent)).status).toBe(500);
    expect(await traces(app, sent)).toEqual([0, 0]);
    app.clock.advance(400);
    const again = delivery(app, { id: sent.headers['webhook-id'] ?? '', raw: sent.raw });
    expect((await post(app, again)).status).toBe(204);
    expect(
      (
        await post(app, {
          ...again,
          headers: delivery(app, { id: sent.headers['webhook-id'] ?? '', raw: sent.raw }).headers,
        })
      ).status,
    ).toBe(204);
    expect(await traces(app, sent)).toEqual([1, 1]);
  });

  it('sends one delivery twice at once: one effect [ASVS 15.4.2]', async () => {
    const sent = delivery(app);
    const answers = await Promise.all([0, 1, 2, 3].map((on) => post(app, sent, 'payments', on)));
    expect(answers.map(({ status }) => status)).toEqual([204, 204, 204, 204]);
    expect(await traces(app, sent)).toEqual([1, 1]);
  });

  it('has an id that another sender has too: both are handled', async () => {
    const id = 'msg_common';
    const sent = [delivery(app, { id }), delivery(app, { id, secret: secrets.ledger })] as const;
    expect((await post(app, sent[0])).status).toBe(204);
    expect((await post(app, sent[1], 'ledger')).status).toBe(204);
    expect((await traces(app, sent[1]))[0]).toBe(1);
  });
});

describe('the schemes are those of their documents', () => {
  it('Standard Webhooks: the vectors of its specification and of its libraries', () => {
    const ping = { id: 'msg_loFOjxBNrRLzqYUf', timestamp: '1731705121' };
    const body = '{"event_type":"ping","data":{"success":true}}';
    expect(webhookMac(Buffer.from('plJ3nmyCDGBKInavdOK15jsl', 'base64'), { ...ping, body }).toString('base64')).toBe(
      'rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=',
    );
    const key = webhookKey('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw');
    const test = { id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', timestamp: '1614265330', body: '{"test": 2432232314}' };
    expect(webhookMac(key, test).toString('base64')).toBe('g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
  });

  it('GitHub: the example of its documentation', () => {
    const { read, keyOf } = hmacOfBody({ field: 'x-hub-signature-256', prefix: 'sha256=' });
    const bytes = Buffer.from('Hello, World!');
    const signature = 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17';
    const claimed = read([signature], bytes);
    expect(claimed?.signatures).toEqual([claimed?.mac(Buffer.from("It's a Secret to Everybody"))]);
    expect(() => keyOf("It's a Secret to Everybody")).toThrow('32 to 256 printable characters');
    expect(createHmac('sha256', keyOf(secrets.forge)).update(bytes).digest()).toEqual(
      claimed?.mac(keyOf(secrets.forge)),
    );
  });
});

describe('ids are forgotten, and not too early [ASVS 14.2.7]', () => {
  it('a sweep every hour deletes what is older than 30 days, or 400 without a signed time', async () => {
    const timers = vi.spyOn(globalThis, 'setInterval');
    await app.restart();
    const hourly = timers.mock.calls.filter(([, every]) => every === 3_600_000).map(([run]) => run as () => void);
    timers.mockRestore();
    const [timed, bytes] = [delivery(app), push()];
    await post(app, timed);
    await post(app, bytes, 'forge');
    const left = async (days: number) => {
      app.clock.advance(days * 24 * 3600);
      for (const run of hourly) run();
      await new Promise((resolve) => setTimeout(resolve, 200));
      return [(await traces(app, timed))[1], (await traces(app, bytes))[1]];
    };
    expect(await left(29)).toEqual([1, 1]);
    expect(await left(2)).toEqual([0, 1]);
    expect(await left(380)).toEqual([0, 0]);
  });
});

describe('the route is declared as what it is [ASVS 8.1.1] [A9-1]', () => {
  it('in the inventory: who signs it, and nobody else', () => {
    const row = inventoryWithSamples(SampleWebhooksModule).find(({ path }) => path === '/v1/webhooks/payments');
    expect(row).toMatchObject({
      access: 'signed by payments',
      callers: 'whoever has the secret',
      limit: 'webhook-payments',
      input: 'body PaymentEvent',
      view: 'nothing',
    });
  });

  // With: api-docs.
  it('in the API description: its signature, its refusals, and a body that may have more fields', async () => {
    const { body: document } = await app.request('GET', '/openapi.json');
    const { post: operation } = document.paths['/v1/webhooks/payments'] ?? {};
    expect(operation?.security).toEqual([{ 'signed-by-payments': [] }]);
    expect(document.components?.securitySchemes?.['signed-by-payments']).toMatchObject({
      type: 'apiKey',
      in: 'header',
      name: 'webhook-signature',
    });
    expect(((operation?.parameters ?? []) as { name: string }[]).map(({ name }) => name).toSorted()).toEqual([
      'webhook-id',
      'webhook-timestamp',
    ]);
    expect(JSON.stringify(operation?.responses['403'])).toContain('webhook-refused');
    expect(document.components?.schemas?.['PaymentEvent']).not.toHaveProperty('additionalProperties');
    expect(document.components?.schemas?.['PaymentData']).not.toHaveProperty('additionalProperties');
  });
});

describe('secrets: what is wrong stops the boot, with the variable and the fix [ASVS 13.3.1]', () => {
  const boot = (env: Record<string, string>) => startWebhooks({ env, instances: 1 }).then((one) => one.close());

  it.each([
    ['WEBHOOK_PAYMENT_SECRET', secrets.payments, 'no route takes webhooks of payment'],
    ['WEBHOOK_PAYMENTS_SECRET', 'whsec_c2hvcnQ=', 'set whsec_ and 24 to 64 random bytes'],
    ['WEBHOOK_PAYMENTS_SECRET', secrets.forge, 'set whsec_ and 24 to 64 random bytes'],
    ['WEBHOOK_PAYMENTS_SECRET', Array(3).fill(secrets.payments).join(','), 'set one secret, or two'],
    ['WEBHOOK_FORGE_SECRET', 'short', 'set 32 to 256 printable characters'],
    ['WEBHOOK_PAYMENTS_KEY', 'x', 'there is no such variable'],
  ])('%s=%s', async (name, value, fault) => {
    const error: unknown = await boot({ [name]: value }).catch((thrown: unknown) => thrown);
    expect((error as Error).message).toContain(`${name}: `);
    expect((error as Error).message).toContain(fault);
    expect((error as Error).message).not.toContain(value === 'x' ? 'canary' : value);
  });

  // With: logging.
  it('one that is not set is told at the start', () => {
    expect(app.logText()).toContain('until their secrets are set: WEBHOOK_UNSET_SECRET');
  });

  it('a name that no variable can have, or that is there already, is refused where it is declared', () => {
    expect(() => defineWebhook('pay-ments', standardWebhooks)).toThrow('small letters and digits');
    expect(() => defineWebhook('payments', standardWebhooks)).toThrow('declared twice');
  });
});
