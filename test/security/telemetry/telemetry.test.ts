import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { Telemetry } from '../../../src/security/telemetry/telemetry.js';
import { signUp, type Actor } from '../../support/actors.js';
import { startApp, type TestApp } from '../../support/app.js';
import { Receiver, valueOf } from './receiver.js';

const before = { ...Telemetry.intervals };
const receiver = new Receiver();
let app: TestApp;
let alice: Actor;
const [trace, span] = ['4bf92f3577b34da6a3ce929d0e0e4736', '00f067aa0ba902b7'];

beforeAll(async () => {
  Object.assign(Telemetry.intervals, { flush: 50, metrics: 200 });
  const env = {
    OTEL_EXPORTER_OTLP_ENDPOINT: await receiver.start(),
    OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20canary-of-headers,x-tenant=lab',
  };
  app = await startApp({ env, instances: 1 });
  alice = await signUp(app, 'alice');
});
afterAll(async () => {
  Object.assign(Telemetry.intervals, before);
  await app.close();
  await receiver.stop();
});
afterEach(() => {
  receiver.answer = (response) => void response.writeHead(200).end();
});

const spanOf = (requestId: string | undefined) =>
  vi.waitFor(() => {
    const found = receiver.spans.find(({ attributes }) => valueOf(attributes, 'http.request.id') === requestId);
    expect(found).toBeDefined();
    return found as NonNullable<typeof found>;
  }, 10_000);
const ask = (path: string, headers = {}) => app.request('GET', path, { token: alice.token, headers });

describe('a collector gets logs, metrics and traces by OTLP/HTTP [practice 10.2] [ASVS 16.4.3]', () => {
  it('one span for each request, by its route, in the trace of the client and of the log line', async () => {
    const { headers } = await ask('/v1/users/me', { traceparent: `00-${trace}-${span}-01` });
    const found = await spanOf(headers['x-request-id']);
    expect(found).toMatchObject({ name: 'GET /v1/users/me', traceId: trace, parentSpanId: span });
    expect(Number(valueOf(found.attributes, 'http.response.status_code'))).toBe(200);
    expect(BigInt(found.endTimeUnixNano)).toBeGreaterThan(BigInt(found.startTimeUnixNano));
    // With: logging.
    expect(app.logs().find((one) => one['http.request.id'] === headers['x-request-id'])).toMatchObject({
      'trace.id': trace,
      'span.id': found.spanId,
    });
  });

  // With: logging.
  it('the lines of stdout, redacted as there, with severity, trace and fields', async () => {
    const { headers } = await ask('/v1/users/me');
    const id = headers['x-request-id'];
    await vi.waitFor(() => {
      const found = receiver.logs.find(({ attributes }) => valueOf(attributes, 'http.request.id') === id);
      expect(found).toMatchObject({ severityNumber: 9, body: { stringValue: 'GET /v1/users/me 200' } });
      expect(found?.traceId).toMatch(/^[0-9a-f]{32}$/);
      expect(valueOf(found?.attributes ?? [], 'user.id')).toBe(alice.userId);
    }, 10_000);
    expect(receiver.logs.length).toBeLessThanOrEqual(app.logs().length);
  });

  // With: metrics.
  it('the metrics of /metrics: sums, gauges, and histograms whose buckets add up', async () => {
    await ask('/v1/users/me');
    await vi.waitFor(() => {
      const last = (name: string) => receiver.metrics.findLast((metric) => metric.name === name);
      const requests = last('http_requests_total')?.sum;
      expect(requests).toMatchObject({ isMonotonic: true, aggregationTemporality: 2 });
      expect(last('mails_waiting')?.gauge?.dataPoints).toHaveLength(1);
      const point = last('http_request_duration_seconds')?.histogram?.dataPoints[0];
      expect(point?.explicitBounds).toHaveLength(11);
      expect(point?.bucketCounts?.map(Number).reduce((sum, count) => sum + count, 0)).toBe(Number(point?.count));
    }, 10_000);
  });

  it('sends the headers that the owner set, and keeps them out of what it sends', async () => {
    await ask('/v1/users/me');
    await vi.waitFor(() => expect(receiver.headers.at(-1)).toMatchObject({ 'x-tenant': 'lab' }), 10_000);
    expect(receiver.headers.at(-1)).toMatchObject({
      'authorization': 'Bearer canary-of-headers',
      'content-type': 'application/x-protobuf',
    });
    expect(Buffer.concat(receiver.bytes).includes('canary-of-headers')).toBe(false);
  });

  it('puts secrets into path, query, token, cookie and body: none of them leaves [ASVS 16.2.5]', async () => {
    const { headers } = await app.request('POST', '/v1/canary-path/login?code=canary-query', {
      token: 'canary-token',
      headers: { 'cookie': 'a=canary-cookie', 'user-agent': 'canary-agent', 'traceparent': 'canary-trace' },
      body: { password: 'canary-body' },
    });
    await app.request('POST', '/v1/auth/login', { body: { email: 'canary@example.org', password: 'canary-password' } });
    const found = await spanOf(headers['x-request-id']);
    expect(found.name).toBe('POST unmatched');
    const all = Buffer.concat(receiver.bytes);
    for (const secret of ['canary-', 'canary@', alice.email, alice.token, alice.password])
      expect(all.includes(secret)).toBe(false);
  });
});

describe('a collector that fails slows nothing, and is told [ASVS 16.5.2]', () => {
  const dropped = async () => {
    const { Measures } = await import('../../../src/common/events/measures.js');
    const measure = app
      .on(0)
      .service.app.get(Measures, { strict: false })
      .list()
      .find(({ name }) => name === 'telemetry_dropped_total');
    const readings = (await measure?.read()) as { labels: { signal: string }; value: number }[];
    return Object.fromEntries(readings.map(({ labels, value }) => [labels.signal, value]));
  };

  it.each([
    ['500', 500, ''],
    ['401', 401, 'no'],
    ['200 with garbage', 200, 'garbage that is no protobuf \u0000\u00ff'],
    ['200 and refuses some', 200, Buffer.from([0x0a, 0x02, 0x08, 0x05])],
  ])('answers %s: requests go on, what was lost is counted', async (_name, status, body) => {
    const start = await dropped();
    receiver.answer = (response) => void response.writeHead(status).end(body);
    expect((await ask('/v1/users/me')).status).toBe(200);
    await vi.waitFor(async () => expect((await dropped())['traces']).toBeGreaterThan(start['traces'] ?? 0), 10_000);
  });

  it('answers 503: it is sent again, once the collector takes it', async () => {
    receiver.answer = (response) => void response.writeHead(503).end();
    const { headers } = await ask('/v1/users/me');
    await vi.waitFor(() => expect(receiver.asked).toBeGreaterThan(2));
    receiver.answer = (response) => void response.writeHead(200).end();
    app.clock.advance(400);
    await spanOf(headers['x-request-id']);
  });

  it('hangs: every request is answered all the same', async () => {
    receiver.answer = () => undefined;
    const answers = await Promise.all(Array.from({ length: 20 }, () => app.request('GET', '/v1/users/me')));
    expect(answers.every(({ status }) => status === 401)).toBe(true);
  });

  // With: logging.
  it('says so in the log, once and not for each record', () => {
    const told = app
      .logs()
      .filter(({ message }) => String(message).includes('records of telemetry were not delivered'));
    expect(told).toHaveLength(1);
    expect(told[0]?.['message']).toMatch(/^\d+ records of telemetry were not delivered \(status 500\)$/);
  });
});

describe('the end, and settings', () => {
  it('sends what waits when the service stops', async () => {
    Object.assign(Telemetry.intervals, { flush: 3_600_000, metrics: 3_600_000 });
    const collector = new Receiver();
    const other = await startApp({ env: { OTEL_EXPORTER_OTLP_ENDPOINT: await collector.start() }, instances: 1 });
    await other.request('GET', '/v1/users/me');
    expect(collector.spans).toHaveLength(0);
    await other.close();
    expect(collector.spans.map(({ name }) => name)).toContain('GET /v1/users/me');
    await collector.stop();
  });

  it('starts and ends while the collector is down', async () => {
    const collector = new Receiver();
    const gone = await collector.start();
    await collector.stop();
    const other = await startApp({ env: { OTEL_EXPORTER_OTLP_ENDPOINT: gone }, instances: 1 });
    expect((await other.request('GET', '/v1/users/me')).status).toBe(401);
    await other.close();
  });
});
