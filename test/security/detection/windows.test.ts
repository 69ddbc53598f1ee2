import { afterEach, describe, expect, it } from 'vitest';
import type { CountRule } from '../../../src/security/detection/rule.js';
import { rules } from '../../../src/security/detection/rules.js';
import { Windows } from '../../../src/security/detection/windows.js';
import { Detecting } from './detecting.js';

const rule = rules.find(({ name }) => name === 'account_failures') as CountRule;
const failure = (id: string) =>
  ({
    action: 'authn_login_fail',
    outcome: 'denied',
    target: { type: 'user', id },
    details: { reason: 'password' },
  }) as const;
const day = 86_400;

let detecting: Detecting;
afterEach(() => detecting.close());

const fail = (count: number, id = 'one'): void => {
  for (let time = 0; time < count; time++) detecting.event(failure(id));
};

describe('windows slide, whatever the clock does [practice 10.3]', () => {
  it('one failure at each jump of a day, back and forth: silence, for they are not within a window', () => {
    detecting = new Detecting([rule]);
    for (let jump = 0; jump < 50; jump++) {
      fail(1);
      detecting.advance(jump % 2 === 0 ? day : -day + 1000);
    }
    expect(detecting.names).toEqual([]);
  });

  it('seven failures while the clock is a day ahead, and one when it is set right: silence', () => {
    detecting = new Detecting([rule]);
    detecting.advance(day);
    fail(rule.threshold - 1);
    detecting.advance(-day);
    fail(1);
    expect(detecting.names).toEqual([]);
  });

  it.each([day, -day, 365 * day, -60, 60])('the clock jumps by %i s: the next attack is noticed, once', (seconds) => {
    detecting = new Detecting([rule]);
    fail(rule.threshold);
    detecting.advance(seconds);
    fail(rule.threshold - 1, 'two');
    expect(detecting.names).toHaveLength(1);
    fail(1, 'two');
    expect(detecting.names).toHaveLength(2);
  });

  it('goes on for long: an alert for each time that the threshold is full, not for each event', () => {
    detecting = new Detecting([rule]);
    fail(rule.threshold * 10);
    expect(detecting.names).toHaveLength(10);
  });

  it('fails for ever new networks and accounts: the memory is bounded, and what goes is counted', () => {
    const mark = { member: 'm', at: 0, windowMs: 60_000, threshold: 1_000 };
    const byKeys = new Windows({ keys: 100, marks: 1_000 });
    for (let number = 0; number < 1_000; number++) byKeys.add({ ...mark, key: `key ${number}` });
    expect(byKeys.evicted).toBe(900);
    const byMarks = new Windows({ keys: 1_000, marks: 150 });
    for (let number = 0; number < 100; number++) byMarks.add({ ...mark, key: `key ${number}` });
    for (let number = 0; number < 120; number++) byMarks.add({ ...mark, key: 'deep', member: `m ${number}` });
    expect(byMarks.evicted).toBe(70);
  });

  it('a rule that throws fails nobody: neither whoever reports, nor a transaction', async () => {
    detecting = new Detecting([rule]);
    detecting.clock.now = () => {
      throw new Error('no time');
    };
    expect(() => fail(1)).not.toThrow();
    await expect(detecting.events.recordInTransaction(failure('one'))).resolves.toBeUndefined();
  });
});
