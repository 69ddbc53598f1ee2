import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { raise, Receiving } from './alerting.js';

let receiving: Receiving;
beforeAll(async () => {
  receiving = await Receiving.start({ instances: 1 });
});
afterAll(() => receiving.close());

describe('a receiver that never answers [practice 10.3] [A10-8]', () => {
  it('is given ten seconds, and asked again; meanwhile another webhook arrives', { timeout: 60_000 }, async () => {
    const { app, receiver } = receiving;
    receiver.answer = (response) => void (receiver.requests.at(-1)?.body.includes('hangs') || response.end('ok'));
    raise(app, { rule: 'hangs' });
    await receiving.arrived('hangs', 1);
    raise(app, { rule: 'another' });
    await receiving.arrived('another', 1);
    await expect.poll(() => app.sql('SELECT attempts FROM alert_webhooks')).toEqual([{ attempts: 1 }]);
    await receiving.failed(1);
    receiver.answer = (response) => response.end('ok');
    app.clock.advance(10);
    const webhooks = await receiving.arrived('hangs', 2);
    expect(new Set(webhooks.map(({ id }) => id)).size).toBe(1);
    await receiving.delivered();
  });
});
