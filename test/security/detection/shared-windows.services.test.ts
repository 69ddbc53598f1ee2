import { randomBytes } from 'node:crypto';
import { Logger } from '@nestjs/common';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Rule } from '../../../src/security/detection/rule.js';
import { rules } from '../../../src/security/detection/rules.js';
import { SharedState } from '../../../src/shared-state/index.js';
import { services } from '../../support/profile.js';
import { Detecting } from './detecting.js';

let redis: Redis;
let subscriber: Redis;
let one: Detecting;
let other: Detecting;

const named = (name: string): Rule[] => rules.filter((rule) => rule.name === name);
const failure = {
  action: 'authn_login_fail',
  outcome: 'denied',
  target: { type: 'user', id: 'one' },
  details: { reason: 'password' },
} as const;
const settle = async (): Promise<void> => {
  await one.detector.flush();
  await other.detector.flush();
};

beforeAll(() => {
  redis = new Redis(services().redisUrl, { commandTimeout: 300, maxRetriesPerRequest: 1 });
});
afterAll(() => redis.quit());
beforeEach(() => {
  const namespace = `test-${randomBytes(6).toString('hex')}`;
  subscriber = redis.duplicate();
  const watched = ['account_failures', 'password_spraying', 'takeover'].flatMap(named);
  const start = () => new Detecting(watched, new SharedState(namespace, { commands: redis, subscriber }));
  [one, other] = [start(), start()];
});
afterEach(async () => {
  await one.close();
  await other.close();
  subscriber.disconnect();
});

describe('the windows of all instances are one [practice 10.3]', () => {
  it('guesses half on each instance: one alert, at the same threshold', async () => {
    for (let guess = 0; guess < 7; guess++) (guess % 2 === 0 ? one : other).event(failure);
    await settle();
    expect([...one.names, ...other.names]).toEqual([]);
    other.event(failure);
    await settle();
    expect([...one.names, ...other.names]).toEqual(['account_failures']);
  });

  it('from other networks on each instance: the spraying is noticed', async () => {
    for (let guess = 0; guess < 6; guess++)
      (guess % 2 === 0 ? one : other).event(failure, { address: `192.0.2.${guess}` });
    await settle();
    expect([...one.names, ...other.names]).toEqual(['password_spraying']);
  });

  it('a new device on one, a change of factors on the other: noticed, and not the other way round', async () => {
    const target = { type: 'user', id: 'one' };
    const [first, next] = ['authn_new_device', 'authn_factor_removed'].map(
      (action) => ({ action: action as never, outcome: 'success', target }) as const,
    );
    other.event(next as never);
    await settle();
    one.event(first as never);
    await settle();
    expect([...one.names, ...other.names]).toEqual([]);
    other.event(next as never);
    await settle();
    expect(other.names).toEqual(['takeover']);
  });

  it('no address and no account is in a key or a member', async () => {
    one.event(failure, { address: '192.0.2.123' });
    await settle();
    const keys = await redis.keys(`${one.namespace}:*`);
    expect(keys).toHaveLength(2);
    const members = await Promise.all(keys.map((key) => redis.zrange(key, '0', '-1')));
    expect(JSON.stringify([keys, members])).not.toMatch(/192\.0\.2|one/);
  });
});

describe('Redis dies [practice 10.3]', () => {
  it('each instance counts for itself, says so once, and again when Redis is back', async () => {
    const said: string[] = [];
    const logger = { log: (text: string) => said.push(text), warn: (text: string) => said.push(text), error: vi.fn() };
    Logger.overrideLogger(logger);
    const pipeline = vi.spyOn(redis, 'pipeline').mockImplementation(() => {
      const dead = new Redis({ port: 1, lazyConnect: true, enableOfflineQueue: false, retryStrategy: () => null });
      dead.on('error', () => undefined);
      dead.defineCommand('countMark', { numberOfKeys: 1, lua: 'return 0' });
      return dead.pipeline();
    });
    for (let guess = 0; guess < 7; guess++) {
      one.event(failure);
      await one.detector.flush();
    }
    expect(one.names).toEqual([]);
    one.event(failure);
    await settle();
    expect(one.names).toEqual(['account_failures']);
    pipeline.mockRestore();
    one.event(failure);
    await settle();
    Logger.overrideLogger(false);
    expect(said.filter((text) => text.startsWith('detection counts'))).toEqual([
      'detection counts for this instance alone: Redis does not answer',
      'detection counts for all instances again',
    ]);
  });
});
