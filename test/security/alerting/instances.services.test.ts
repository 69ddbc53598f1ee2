import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mailsOf, raise, Receiving, stored } from './alerting.js';

let receiving: Receiving;
beforeAll(async () => {
  receiving = await Receiving.start();
});
afterAll(() => receiving.close());

describe('two instances notice one attack [practice 10.3] [ASVS 15.4.2]', () => {
  it.each([1, 2, 3, 4, 5])('at the same moment: one row, one mail, one webhook (%i)', async (round) => {
    const rule = `both_${'x'.repeat(round)}`;
    for (const instance of [0, 1]) raise(receiving.app, { rule }, instance);
    expect(await stored(receiving.app, rule, 2)).toHaveLength(1);
    await receiving.arrived(rule, 1);
    await receiving.delivered();
    expect(await receiving.arrived(rule, 1)).toHaveLength(1);
    expect(await mailsOf(receiving.app, rule)).toHaveLength(1);
  });

  it('a flood on both: every alert is counted in one row', async () => {
    for (let time = 0; time < 200; time++) raise(receiving.app, { rule: 'flooded' }, time % 2);
    expect(await stored(receiving.app, 'flooded', 200)).toHaveLength(1);
  });
});
