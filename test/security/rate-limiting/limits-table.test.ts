import { request as plainRequest } from 'node:http';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import { RateLimiterMemory, RateLimiterRedis } from 'rate-limiter-flexible';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { MachineTier } from '../../../src/common/access/principal.js';
import type { KnownDevices } from '../../../src/common/access/known-devices.js';
import { Clock } from '../../../src/common/clock.js';
import { Problem } from '../../../src/common/http/problem.js';
import { SecurityEvents, type SecurityEvent } from '../../../src/common/events/security-events.js';
import { defineRateLimits, limits } from '../../../src/common/http/rate-limit.js';
import type { Config } from '../../../src/config/index.js';
import { LimiterStorage } from '../../../src/security/rate-limiting/limiter-storage.js';
import { LimitLists } from '../../../src/security/rate-limiting/limit.guard.js';
import { Limiter } from '../../../src/security/rate-limiting/limiter.js';
import { LimitKeys, type LimitedRequest } from '../../../src/security/rate-limiting/limit-keys.js';
import { SharedState } from '../../../src/shared-state/index.js';
import { signUp } from '../../support/actors.js';
import { startApp } from '../../support/app.js';
import { limitOf } from '../../support/declared-limits.js';
import { anotherAddress } from '../../support/http.js';
import { machineToken } from '../../support/sample/machines.js';
import { SampleFactorModule } from '../../support/sample/sample-factor.module.js';
import { SamplesModule } from '../../support/sample/samples.module.js';
import { minute, rows, type Caller, type LimitRow, type Send } from './limits.parts.js';

const jwks: Send = ({ app }, from) => app.request('GET', '/.well-known/jwks.json', { from });
const me: Send = ({ app, actor }, from) => app.request('GET', '/v1/users/me', { from, token: actor.token });
const samples =
  (tier: MachineTier): Send =>
  ({ app, actor }, from) =>
    app.request('GET', '/v1/samples', { from, token: machineToken({ ...actor, tier, machineId: actor.userId }) });
const internal: Send = ({ app }, from) =>
  new Promise((resolve, reject) => {
    const options = {
      host: '127.0.0.1',
      port: app.on(0).addresses.internal,
      path: '/health/live',
      localAddress: from,
      agent: false,
    };
    plainRequest(options, (answer) =>
      resolve({ status: answer.resume().statusCode ?? 0, headers: answer.headers as Record<string, string> }),
    )
      .on('error', reject)
      .end();
  });

const dayMs = 24 * 3_600_000;

/** What counts for every caller, and the limits of all features. */
const table: readonly LimitRow[] = [
  ['network', 1200, minute, 'network', undefined, jwks],
  ['internal', 1200, minute, 'network', undefined, internal],
  ['anonymous', 60, minute, 'network', undefined, jwks],
  ['user', 600, minute, 'user', undefined, me],
  ['machine-standard', 300, minute, 'machine', undefined, samples('standard')],
  ['machine-high', 3000, minute, 'machine', undefined, samples('high')],
  ...rows,
];

/** RFC 9651: a list of strings, each with integer parameters; undefined for a field that is none. */
function parseList(field: string | undefined): { name: string; parameters: Record<string, number> }[] | undefined {
  const items = (field ?? '')
    .split(', ')
    .map((item) => /^"([\x20\x21\x23-\x5b\x5d-\x7e]+)"((?:;[a-z]=\d{1,15})+)$/.exec(item));
  if (items.includes(null)) return undefined;
  return items.map((item) => ({
    name: item?.[1] ?? '',
    parameters: Object.fromEntries(
      (item?.[2] ?? '')
        .slice(1)
        .split(';')
        .map((one) => [one[0], Number(one.slice(2))]),
    ),
  }));
}

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

describe('The table of limits [practice 4.1] [practice 4.2]', () => {
  it('has these rows and no others: those of a feature stand in limits.ts beside its tests', () => {
    // A sender of webhooks brings a limit of its own, and tests of this process declare some.
    const present = limits()
      .filter(({ name }) => !name.startsWith('webhook-'))
      .map(({ name, requests, windowSeconds, per, from }) => [name, requests, windowSeconds, per, from]);
    expect(present.toSorted()).toEqual(table.map((one) => one.slice(0, 5)).toSorted());
  });

  it('limits of routes have none per network, or a name that is taken: the file does not load', () => {
    const limit = { name: 'parcels', requests: 1, windowSeconds: minute } as const;
    expect(() => defineRateLimits('parcel', [{ ...limit, per: 'user' }])).toThrow(
      'the limits parcel have none per network',
    );
    expect(() => defineRateLimits('parcel', [{ ...limit, name: 'user', per: 'network' }])).toThrow(
      'the limit user is declared twice',
    );
  });

  it.each(table)(
    '%s: %i in %i s pass, the next is refused until the window ends, and one event tells of it [ASVS 2.4.1] [A4-8]',
    async (name, requests, seconds) => {
      vi.useFakeTimers({ now: Math.ceil(Date.now() / dayMs) * dayMs });
      const events: SecurityEvent[] = [];
      const sink = new SecurityEvents();
      sink.subscribe({ recordInTransaction: async () => undefined, reportLater: (event) => void events.push(event) });
      const macs = { keyed: (_purpose: string, text: string) => text } as unknown as ConstructorParameters<
        typeof LimitKeys
      >[0];
      const limit = limitOf(name);
      const devices = {
        recognise: () => (limit.from === 'known devices' ? 'device' : undefined),
      } as unknown as KnownDevices;
      const config = { rateLimitScale: 1 } as Config;
      const limiter = new Limiter(new LimiterStorage(new SharedState('test')), sink, config, new Clock());
      const guard = new LimitLists(limiter, new LimitKeys(macs, devices)).guardOf([limit]);
      let account = 0;
      const count = () => {
        const email = limit.per === 'accounts of network' ? `${++account}@example.org` : 'a@example.org';
        const request = {
          body: { email, deviceToken: 'token' },
          routeOptions: { url: '/x' },
          socket: { remoteAddress: '192.0.2.1' },
        } as unknown as LimitedRequest;
        const reply = { getHeader: () => undefined, header: () => undefined };
        return Promise.resolve(guard?.canActivate(new ExecutionContextHost([request, reply]))).then(
          () => 'passes',
          (error: unknown) => (error instanceof Problem ? error.type : error),
        );
      };
      const many = async (times: number) => {
        const outcomes = [];
        for (let index = 0; index < times; index++) outcomes.push(await count());
        return [...new Set(outcomes)];
      };
      expect(await many(requests)).toEqual(['passes']);
      expect(await many(5)).toEqual(['too-many-requests']);
      expect(events).toEqual([{ action: 'excess_rate_limit_exceeded', outcome: 'denied', details: { limit: name } }]);
      vi.advanceTimersByTime((seconds - 1) * 1000);
      expect(await count()).toBe('too-many-requests');
      vi.advanceTimersByTime(1000);
      expect(await count()).toBe('passes');
    },
  );
});

describe('Each row is asked on a real route [practice 4.1]', () => {
  let caller: Caller;

  beforeAll(async () => {
    const app = await startApp({ instances: 1, modules: [SamplesModule, SampleFactorModule] });
    const actor = await signUp(app, 'limited');
    const { body } = await app.request('POST', '/v1/auth/login', {
      body: { email: actor.email, password: actor.password },
    });
    caller = { app, actor, deviceToken: (body as { deviceToken: string }).deviceToken };
  });
  afterAll(() => caller.app.close());

  /** The bucket of that limit holds so many already; every other one is empty. */
  function fill(name: string, used: number): void {
    let hits = used;
    vi.spyOn(LimiterStorage.prototype, 'increment').mockImplementation(async (_key, ttl, limit, _block, counted) => {
      const totalHits = counted === name ? ++hits : 1;
      const seconds = ttl / 1000;
      return {
        totalHits,
        timeToExpire: seconds,
        isBlocked: totalHits > limit,
        timeToBlockExpire: seconds,
        isNew: true,
        isAlone: false,
      };
    });
  }

  it.each(table)(
    '%s: request %i is answered, the next gets 429, and the fields say so (RFC 9651) [A4-8] [ASVS 2.4.1]',
    async (...one) => {
      const [name, requests, seconds, per, , send] = one;
      fill(name, requests - 1);
      // A day of the calendar has all its seconds left at midnight.
      if (limitOf(name).byDay === true)
        vi.spyOn(caller.app.clock, 'now').mockReturnValue(new Date(Math.ceil(Date.now() / dayMs) * dayMs));
      const from = anotherAddress();
      const last = await send(caller, from, 1);
      const refused = await send(caller, from, 2);
      expect(last.status).not.toBe(429);
      expect(refused).toMatchObject({ status: 429, headers: { 'retry-after': String(seconds) } });
      if (name === 'internal') return;
      const isTold = ['network', 'user', 'session', 'machine', 'due factor'].includes(per);
      for (const { headers } of [last, refused]) {
        const named = (list: ReturnType<typeof parseList>) =>
          list?.filter((item) => item.name === name).map(({ parameters }) => parameters);
        expect(named(parseList(headers['ratelimit-policy']))).toEqual(isTold ? [{ q: requests, w: seconds }] : []);
        expect(named(parseList(headers['ratelimit']))).toEqual(isTold ? [{ r: 0, t: seconds }] : []);
      }
    },
  );

  it('the counter fails: refused, on every listener, and nothing is done [practice 4.1] [ASVS 16.5.2]', async () => {
    for (const counter of [RateLimiterMemory, RateLimiterRedis]) {
      vi.spyOn(counter.prototype, 'consume').mockRejectedValue(new Error('the counter is broken'));
    }
    const from = anotherAddress();
    const body = { email: 'limit77@example.org' };
    const register = () => caller.app.request('POST', '/v1/auth/register', { from, body });
    expect((await jwks(caller, from, 0)).status).toBe(500);
    expect((await register()).status).toBe(500);
    expect((await internal(caller, from, 0)).status).toBe(500);
    vi.restoreAllMocks();
    expect(caller.app.outbox().filter(({ to }) => to.includes('limit77'))).toEqual([]);
  });
});
