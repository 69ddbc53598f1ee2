import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Alerts } from '../../../src/common/events/alerts.js';
import { Measures } from '../../../src/common/events/measures.js';
import { SecurityEvents } from '../../../src/common/events/security-events.js';
import { signUp, type Actor } from '../../support/actors.js';
import { startApp, type TestApp } from '../../support/app.js';
import { SamplesModule } from '../../support/sample/samples.module.js';
import { createSample } from '../../support/sample/samples.js';
import { exchange } from '../raw.js';
import { linesOf, listenerOf, scrape, valueIn } from './scrape.js';

let app: TestApp;
let alice: Actor;

beforeAll(async () => {
  app = await startApp({ modules: [SamplesModule], instances: 1 });
  alice = await signUp(app, 'alice');
});
afterAll(() => app.close());

const of = <T>(type: abstract new (...args: never[]) => T): T => app.on(0).service.app.get(type, { strict: false });

/** Counted when the response closes, a moment after the answer was read. */
const counted = (name: string, labels: Record<string, string>, value: number) =>
  vi.waitFor(async () => expect(valueIn(await scrape(app), name, labels)).toBe(value), 5_000);

describe('metrics of the running service [practice 10.3] [ASVS 16.2.1]', () => {
  it.each(['/metrics', '/metrics/', '//metrics', '/%6detrics', '/metrics?x=1'])(
    'asks the public listener for %s: not there [ASVS 13.4.5]',
    async (path) => {
      const answer = await app.request('GET', path, { token: alice.token });
      expect([400, 404]).toContain(answer.status);
      expect(answer.text).not.toContain('# TYPE');
    },
  );

  it('an honest request is counted by route and status, with its time', async () => {
    const route = { listener: 'https', route: '/v1/samples/:id', method: 'GET' };
    const before = valueIn(await scrape(app), 'http_requests_total', route);
    const { id } = await createSample(app, alice);
    expect((await app.request('GET', `/v1/samples/${id}`, { token: alice.token })).status).toBe(200);
    await counted('http_requests_total', { ...route, status: '200' }, before + 1);
    await counted('http_request_duration_seconds_count', route, before + 1);
    await counted('http_requests_in_flight', {}, 0);
  });

  it('requests that guards refuse are counted by their route: 401, which meets no interceptor', async () => {
    const route = { listener: 'https', route: '/v1/samples/:id', method: 'GET', status: '401' };
    for (let time = 0; time < 3; time++)
      expect((await app.request('GET', `/v1/samples/${time}`, { token: 'a.b.c' })).status).toBe(401);
    await counted('http_requests_total', route, 3);
  });

  it.each([
    [
      'a target that the router cannot read',
      'GET /%zz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
      'GET',
      400,
    ],
    ['what is no HTTP', 'rubbish\r\n\r\n', 'unparsed', 400],
    ['a foreign host', 'GET /nowhere HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n', 'GET', 421],
  ])('sends %s: counted as unmatched', async (_name, bytes, method, status) => {
    const labels = { listener: 'https', route: 'unmatched', method, status: String(status) };
    const before = valueIn(await scrape(app), 'http_requests_total', labels);
    expect((await exchange(listenerOf(app), bytes)).status).toBe(status);
    await counted('http_requests_total', labels, before + 1);
  });

  it('plain HTTP and the internal listener are counted apart', async () => {
    const internal = { listener: 'internal', route: 'unmatched' };
    const before = valueIn(await scrape(app), 'http_requests_total', internal);
    await fetch(`http://127.0.0.1:${app.on(0).addresses.http}/v1/users/me`);
    await counted('http_requests_total', { listener: 'http', method: 'GET', status: '403' }, 1);
    expect(valueIn(await scrape(app), 'http_requests_total', internal)).toBeGreaterThan(before);
  });

  it('names 500 paths, methods and agents of its own: not one more series, and none of the words [API4]', async () => {
    const call = (path: string, method = 'GET') =>
      app.request(method, path, { headers: { 'user-agent': 'canary-agent' }, token: 'canary-token' });
    await Promise.all([call('/canary-path'), call('/v1/samples/canary-id'), call('/v1/samples?canary-query=1')]);
    await exchange(listenerOf(app), 'FOOBAR /canary HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await exchange(listenerOf(app), 'PROPFIND /canary HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
    const series = async () => linesOf(await scrape(app)).filter((line) => line.startsWith('http_')).length;
    await counted('http_requests_in_flight', {}, 0);
    const before = await series();
    for (let index = 0; index < 500; index += 25)
      await Promise.all(Array.from({ length: 25 }, (_, at) => call(`/canary-${index + at}`)));
    await counted('http_requests_in_flight', {}, 0);
    expect(await series()).toBe(before);
    expect(await scrape(app)).not.toMatch(/canary|FOOBAR|PROPFIND/);
  });

  it('a person signs in wrongly and rightly: counted as security events, once each', async () => {
    const failed = { action: 'authn_login_fail' };
    const [before, right] = [
      valueIn(await scrape(app), 'security_events_total', failed),
      valueIn(await scrape(app), 'security_events_total', { action: 'authn_login_success' }),
    ];
    const login = (password: string) =>
      app.request('POST', '/v1/auth/login', { body: { email: alice.email, password } });
    expect((await login('wrong password of alice')).status).toBe(401);
    expect((await login(alice.password)).status).toBe(200);
    expect(valueIn(await scrape(app), 'security_events_total', failed)).toBe(before + 1);
    expect(valueIn(await scrape(app), 'security_events_total', { action: 'authn_login_success' })).toBe(right + 1);
  });

  it('an event that one statement does not take is counted once, and every declared one from 0 on', async () => {
    const event = { action: 'sensitive_read', outcome: 'success' } as const;
    const before = valueIn(await scrape(app), 'security_events_total', event);
    const recording = of(SecurityEvents).recording({ ...event, actorId: alice.userId });
    recording.rows();
    await recording.recordInTransaction();
    const text = await scrape(app);
    expect(valueIn(text, 'security_events_total', event)).toBe(before + 1);
    expect(text).toContain('security_events_total{action="authn_token_reuse",outcome="denied"} 0');
  });

  it('an alert is counted by rule and severity', async () => {
    const alert = {
      rule: 'of_test',
      severity: 'warning',
      key: 'canary-key',
      summary: '',
      details: {},
      runbook: '',
    } as const;
    of(Alerts).raise({ ...alert, at: new Date() });
    const text = await scrape(app);
    expect(text).toContain('alerts_total{rule="of_test",severity="warning"} 1');
    expect(text).not.toContain('canary-key');
  });

  it('a measure that throws, hangs or is no number is left out and told; the others are there', async () => {
    const measures = of(Measures);
    let hangs = true;
    measures.add({ name: 'of_test_throws', help: 'x', read: () => Promise.reject(new Error('canary-reason')) });
    measures.add({ name: 'of_test_hangs', help: 'x', read: () => (hangs ? new Promise(() => undefined) : 0) });
    measures.add({ name: 'of_test_nan', help: 'x', read: () => Number.NaN });
    measures.add({
      name: 'of_test_works',
      help: 'x',
      labels: ['of'],
      read: () => [{ labels: { of: 'one' }, value: 7 }],
    });
    await scrape(app);
    const text = await scrape(app);
    hangs = false;
    for (const name of ['throws', 'hangs', 'nan']) {
      expect(valueIn(text, 'measure_failures_total', { measure: `of_test_${name}` })).toBeGreaterThan(0);
      expect(text).not.toContain(`# TYPE of_test_${name}`);
    }
    expect(text).toContain('of_test_works{of="one"} 7');
    expect(text).not.toContain('canary');
  });

  it('many scrapes at once read each measure once: asking often does not cost more', async () => {
    let reads = 0;
    of(Measures).add({
      name: 'of_test_reads',
      help: 'x',
      read: async () => {
        await new Promise((resolve) => setTimeout(resolve, 100));
        return (reads += 1);
      },
    });
    await Promise.all(Array.from({ length: 5 }, () => scrape(app)));
    expect(reads).toBeLessThan(3);
  });

  it('nothing of a person is in it: neither address, name, id nor network [ASVS 16.2.5]', async () => {
    const text = await scrape(app);
    for (const secret of [alice.userId, alice.email, alice.token, 'alice', '127.0.0'])
      expect(text).not.toContain(secret);
  });
});

describe('two services in one process', () => {
  it('do not count into each other', async () => {
    const other = await startApp({ instances: 1 });
    try {
      await other.request('GET', '/nothing-of-the-other');
      const labels = { listener: 'https', status: '404' };
      await vi.waitFor(async () => expect(valueIn(await scrape(other), 'http_requests_total', labels)).toBe(1), 5_000);
      expect(valueIn(await scrape(other), 'http_requests_total', { route: '/v1/auth/login' })).toBe(0);
    } finally {
      await other.close();
    }
  });
});
