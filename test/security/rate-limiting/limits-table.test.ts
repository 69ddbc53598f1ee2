import { request as plainRequest } from 'node:http';
import { RateLimiterMemory, RateLimiterRedis } from 'rate-limiter-flexible';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { KnownDevices } from '../../../src/common/known-devices.js';
import { Problem } from '../../../src/common/problem.js';
import { SecurityEvents, type SecurityEvent } from '../../../src/common/security-events.js';
import type { Config } from '../../../src/config/index.js';
import { LimiterStorage } from '../../../src/security/rate-limiting/limiter-storage.js';
import { Limiter } from '../../../src/security/rate-limiting/limiter.js';
import { everyRequest, internalRequest, limitsAfterAuthentication, limitsBeforeAuthentication, limitsOfCallers, type Limit } from '../../../src/security/rate-limiting/limits.js';
import { LimitKeys, type LimitedRequest } from '../../../src/security/rate-limiting/limit-keys.js';
import { SharedState } from '../../../src/shared-state/index.js';
import { signUp, type Actor } from '../../support/actors.js';
import { startApp, type TestApp } from '../../support/app.js';
import { anotherAddress, type Answer } from '../../support/http.js';
import { createResource } from '../../support/resources.js';

const [minute, hour, day] = [60, 3_600, 86_400];

interface Caller {
  readonly app: TestApp;
  readonly actor: Actor;
  readonly deviceToken: string;
  readonly resourceId: string;
}
type Send = (caller: Caller, from: string, index: number) => Promise<Pick<Answer, 'status' | 'headers'>>;

const login: Send = ({ app }, from, index) => app.request('POST', '/v1/auth/login', { from, body: { email: `limit${index}@example.org`, password: 'a guess' } });
const device: Send = ({ app, actor, deviceToken }, from) => app.request('POST', '/v1/auth/login', { from, body: { email: actor.email, password: 'a guess', deviceToken } });
const passkey: Send = ({ app }, from) => app.request('POST', '/v1/auth/passkeys/sign-in-options', { from });
const proof: Send = ({ app, actor }, from) => app.request('POST', '/v1/auth/totp/verify', { from, token: actor.token, body: { code: '000000' } });
const credential: Send = ({ app, actor }, from) =>
  app.request('POST', '/v1/auth/password/change', { from, token: actor.token, body: { oldPassword: 'a guess', newPassword: 'violet harbour counts to nine' } });
const refresh: Send = ({ app }, from) => app.request('POST', '/v1/auth/refresh', { from, body: { refreshToken: 'made.up' } });
const mail: Send = ({ app }, from, index) => app.request('POST', '/v1/auth/register', { from, body: { email: `limit${index}@example.org` } });
const invite: Send = ({ app, actor, resourceId }, from, index) =>
  app.request('POST', `/v1/resources/${resourceId}/shares`, { from, token: actor.token, body: { email: `limit${index}@example.org`, role: 'viewer' } });
const exported: Send = ({ app, actor }, from) => app.request('GET', '/v1/users/me/export', { from, token: actor.token });
const jwks: Send = ({ app }, from) => app.request('GET', '/.well-known/jwks.json', { from });
const me: Send = ({ app, actor }, from) => app.request('GET', '/v1/users/me', { from, token: actor.token });
const internal: Send = ({ app }, from) =>
  new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port: app.on(0).addresses.internal, path: '/health/live', localAddress: from, agent: false };
    plainRequest(options, (answer) => resolve({ status: answer.resume().statusCode ?? 0, headers: answer.headers as Record<string, string> })).on('error', reject).end();
  });

/** Each row as somebody has decided it, and a path on which it counts. What is here stands in docs/practices/rate-limiting.md. */
const table: [string, number, number, string, string | undefined, Send][] = [
  ['network', 1200, minute, 'network', undefined, jwks],
  ['internal', 1200, minute, 'network', undefined, internal],
  ['login-network', 20, minute, 'network', undefined, login],
  ['login-network-hour', 100, hour, 'network', undefined, login],
  ['login-accounts', 30, hour, 'accounts of network', 'unknown devices', login],
  ['login-account', 10, 15 * minute, 'account and network', 'unknown devices', login],
  ['login-account-hour', 100, hour, 'account', 'unknown devices', login],
  ['login-device', 10, 15 * minute, 'device', 'known devices', device],
  ['login-device-hour', 30, hour, 'device', 'known devices', device],
  ['passkey-network', 30, minute, 'network', undefined, passkey],
  ['proof-network', 30, minute, 'network', undefined, proof],
  ['credential-network', 30, minute, 'network', undefined, credential],
  ['refresh-network', 120, minute, 'network', undefined, refresh],
  ['mail-network', 5, 10 * minute, 'network', undefined, mail],
  ['mail-account', 3, hour, 'account', undefined, mail],
  ['invite-network', 100, hour, 'network', undefined, invite],
  ['export-network', 30, hour, 'network', undefined, exported],
  ['anonymous', 60, minute, 'network', undefined, jwks],
  ['user', 600, minute, 'user', undefined, me],
  ['proof', 10, 15 * minute, 'due factor', undefined, proof],
  ['proof-day', 50, day, 'due factor', undefined, proof],
  ['credential', 10, 15 * minute, 'session', undefined, credential],
  ['invite', 20, day, 'user', undefined, invite],
  ['invite-address', 3, day, 'user and account', undefined, invite],
  ['export', 5, hour, 'user', undefined, exported],
];

const rows: Limit[] = [everyRequest, internalRequest, ...Object.values(limitsBeforeAuthentication).flat(), ...Object.values(limitsAfterAuthentication), ...Object.values(limitsOfCallers).flat()];
const row = (name: string): Limit => {
  const found = rows.find((one) => one.name === name);
  if (found === undefined) throw new Error(`there is no limit ${name}`);
  return found;
};

/** RFC 9651: a list of strings, each with integer parameters; undefined for a field that is none. */
function parseList(field: string | undefined): { name: string; parameters: Record<string, number> }[] | undefined {
  const items = (field ?? '').split(', ').map((item) => /^"([\x20\x21\x23-\x5b\x5d-\x7e]+)"((?:;[a-z]=\d{1,15})+)$/.exec(item));
  if (items.includes(null)) return undefined;
  return items.map((item) => ({ name: item?.[1] ?? '', parameters: Object.fromEntries((item?.[2] ?? '').slice(1).split(';').map((one) => [one[0], Number(one.slice(2))])) }));
}

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

describe('The table of limits [practice 4.1] [practice 4.2]', () => {
  it('has these rows and no others', () => {
    const present = rows.map(({ name, requests, windowSeconds, per, from }) => [name, requests, windowSeconds, per, from]);
    expect(present).toEqual(table.map((one) => one.slice(0, 5)));
  });

  it.each(table)('%s: %i in %i s pass, the next is refused until the window ends, and one event tells of it [ASVS 2.4.1] [A4-8]', async (name, requests, seconds) => {
    vi.useFakeTimers();
    const events: SecurityEvent[] = [];
    const sink = new SecurityEvents();
    sink.subscribe({ record: async () => undefined, report: (event) => void events.push(event) });
    const macs = { keyed: (_purpose: string, text: string) => text } as unknown as ConstructorParameters<typeof LimitKeys>[0];
    const limit = row(name);
    const devices = { recognise: () => (limit.from === 'known devices' ? 'device' : undefined) } as unknown as KnownDevices;
    const limiter = new Limiter(new LimiterStorage(new SharedState('test')), new LimitKeys(macs, devices), sink, { rateLimitScale: 1 } as Config);
    let account = 0;
    const count = () => {
      const email = limit.per === 'accounts of network' ? `${++account}@example.org` : 'a@example.org';
      const request = { body: { email, deviceToken: 'token' }, routeOptions: { url: '/x' }, socket: { remoteAddress: '192.0.2.1' } } as unknown as LimitedRequest;
      const reply = { getHeader: () => undefined, header: () => undefined } as unknown as Parameters<Limiter['count']>[2];
      return limiter.count(limit, request, reply).then(() => 'passes', (error: unknown) => (error instanceof Problem ? error.type : error));
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
  });
});

describe('Each row is asked on a real route [practice 4.1]', () => {
  let caller: Caller;

  beforeAll(async () => {
    const app = await startApp({ instances: 1 });
    const actor = await signUp(app, 'limited');
    const { body } = await app.request('POST', '/v1/auth/login', { body: { email: actor.email, password: actor.password } });
    const { id } = await createResource(app, actor);
    caller = { app, actor, deviceToken: (body as { deviceToken: string }).deviceToken, resourceId: id };
  });
  afterAll(() => caller.app.close());

  /** The bucket of that limit holds so many already; every other one is empty. */
  function fill(name: string, used: number): void {
    let hits = used;
    vi.spyOn(LimiterStorage.prototype, 'increment').mockImplementation(async (_key, ttl, limit, _block, counted) => {
      const totalHits = counted === name ? ++hits : 1;
      const seconds = ttl / 1000;
      return { totalHits, timeToExpire: seconds, isBlocked: totalHits > limit, timeToBlockExpire: seconds };
    });
  }

  it.each(table)('%s: request %i is answered, the next gets 429, and the fields say so (RFC 9651) [A4-8] [ASVS 2.4.1]', async (...one) => {
    const [name, requests, seconds, per, , send] = one;
    fill(name, requests - 1);
    const from = anotherAddress();
    const last = await send(caller, from, 1);
    const refused = await send(caller, from, 2);
    expect(last.status).not.toBe(429);
    expect(refused).toMatchObject({ status: 429, headers: { 'retry-after': String(seconds) } });
    if (name === 'internal') return;
    const isTold = ['network', 'user', 'session', 'due factor'].includes(per);
    for (const { headers } of [last, refused]) {
      const named = (list: ReturnType<typeof parseList>) => list?.filter((item) => item.name === name).map(({ parameters }) => parameters);
      expect(named(parseList(headers['ratelimit-policy']))).toEqual(isTold ? [{ q: requests, w: seconds }] : []);
      expect(named(parseList(headers['ratelimit']))).toEqual(isTold ? [{ r: 0, t: seconds }] : []);
    }
  });

  it('the counter fails: refused, on every listener, and nothing is done [practice 4.1] [ASVS 16.5.2]', async () => {
    for (const counter of [RateLimiterMemory, RateLimiterRedis]) {
      vi.spyOn(counter.prototype, 'consume').mockRejectedValue(new Error('the counter is broken'));
    }
    const from = anotherAddress();
    expect((await jwks(caller, from, 0)).status).toBe(500);
    expect((await mail(caller, from, 77)).status).toBe(500);
    expect((await internal(caller, from, 0)).status).toBe(500);
    vi.restoreAllMocks();
    expect(caller.app.outbox().filter(({ to }) => to.includes('limit77'))).toEqual([]);
  });
});
