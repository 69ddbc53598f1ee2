import { afterEach, describe, expect, it, vi } from 'vitest';
import { LimiterStorage, memberSeparator } from '../../../src/security/rate-limiting/limiter-storage.js';
import type { SharedState } from '../../../src/shared-state/index.js';

const ceiling = 5;
const minuteMs = 60_000;
const max = 3;

describe('the counters of limits take bounded memory [API4] [ASVS 15.2.2] [practice 4.1]', () => {
  const storage = () => new LimiterStorage({ redis: undefined } as SharedState, ceiling);
  const keysOf = (limits: LimiterStorage, name: string) => limits['limiters'].get(name)?.own.keys;
  afterEach(() => vi.useRealTimers());

  it('comes from ever new networks: no more counters than the ceiling, and the surplus is still limited', async () => {
    const limits = storage();
    let refused = 0;
    // As if the digest put all of them into one bucket in turn: far more than all buckets let through.
    for (let at = 0; at < 5_000; at++)
      refused += Number((await limits.increment(`network ${at}`, minuteMs, max, 0, 'anonymous')).isBlocked);
    expect(keysOf(limits, 'anonymous')).toBe(ceiling);
    expect(refused).toBeGreaterThan(1_000);
  });

  it('fills the room with other networks: its own counter stays, and those of signed-in people', async () => {
    const limits = storage();
    for (let count = 0; count < max + 1; count++) await limits.increment('mallory', minuteMs, max, 0, 'anonymous');
    await limits.increment('alice', minuteMs, max, 0, 'user');
    for (let at = 0; at < 500; at++) await limits.increment(`network ${at}`, minuteMs, max, 0, 'anonymous');
    expect(await limits.increment('mallory', minuteMs, max, 0, 'anonymous')).toMatchObject({
      totalHits: max + 2,
      isBlocked: true,
    });
    expect(await limits.increment('alice', minuteMs, max, 0, 'user')).toMatchObject({
      totalHits: 2,
      isBlocked: false,
    });
    expect(await limits.increment('bob', minuteMs, max, 0, 'user')).toMatchObject({ totalHits: 1 });
  });

  it('names ever new accounts when there is no room to remember them: each counts', async () => {
    const limits = storage();
    for (let at = 0; at < 50; at++) {
      const key = `network${memberSeparator}account ${at}`;
      expect((await limits.increment(key, minuteMs, max, 0, 'login-accounts')).totalHits).toBe(at + 1);
    }
    expect(keysOf(limits, 'login-accounts-seen')).toBe(ceiling);
  });

  it('names one account again and again: it counts once, and is refused while there are too many', async () => {
    const limits = storage();
    const name = (account: string) =>
      limits.increment(`network${memberSeparator}${account}`, minuteMs, max, 0, 'login-accounts');
    for (let at = 0; at < 10; at++) expect(await name('alice')).toMatchObject({ totalHits: 1, isNew: at === 0 });
    for (let at = 0; at < max; at++) await name(`account ${at}`);
    expect(await name('alice')).toMatchObject({ totalHits: max + 1, isBlocked: true, isNew: false });
  });

  it('waits until the windows have passed: there is room again', async () => {
    vi.useFakeTimers();
    const limits = storage();
    for (let at = 0; at < ceiling; at++) await limits.increment(`network ${at}`, minuteMs, max, 0, 'anonymous');
    vi.advanceTimersByTime(minuteMs + 1_000);
    expect(await limits.increment('newcomer', minuteMs, max, 0, 'anonymous')).toMatchObject({ totalHits: 1 });
    expect(keysOf(limits, 'anonymous')).toBe(1);
  });
});
