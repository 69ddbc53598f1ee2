import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TestApp } from '../support/app.js';
import { HeldRows } from '../support/held-rows.js';
import { failing } from './sample-webhooks.js';
import { delivery, post, startWebhooks, traces, type Sent } from './webhooks.js';

let app: TestApp;
beforeAll(async () => {
  app = await startWebhooks({ instances: 2 });
});
afterAll(() => app.close());

/** Four requests to two instances: all of them wait for the same row, and go on together when it is gone. */
async function atOnce(sent: Sent): Promise<number[]> {
  const held = await HeldRows.of(app, 'SELECT FROM webhook_deliveries WHERE false');
  const key = ['payments', sent.headers['webhook-id']];
  await held.operate('INSERT INTO webhook_deliveries VALUES ($1, $2, now())', key);
  await held.operate('DELETE FROM webhook_deliveries WHERE source = $1 AND delivery_id = $2', key);
  const answers = [0, 1, 0, 1].map((on) => post(app, sent, 'payments', on));
  await held.untilWaiting(4);
  await held.release();
  return (await Promise.all(answers)).map(({ status }) => status);
}

describe('one delivery on two instances at once [ASVS 15.4.2] [ASVS 2.3.3]', () => {
  it('all arrive before the first is handled: 204 for each, and one effect', async () => {
    const sent = delivery(app);
    expect(await atOnce(sent)).toEqual([204, 204, 204, 204]);
    expect(await traces(app, sent)).toEqual([1, 1]);
  });

  it('the first fails while the others wait: one of them handles it', async () => {
    const sent = delivery(app);
    failing.add(sent.payment);
    expect((await atOnce(sent)).toSorted()).toEqual([204, 204, 204, 500]);
    expect(await traces(app, sent)).toEqual([1, 1]);
  });
});
