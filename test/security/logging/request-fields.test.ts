import { request as plainRequest } from 'node:http';
import { Controller, Get, Header, Logger, StreamableFile } from '@nestjs/common';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requestContext } from '../../../src/common/http/request-context.js';
import { exchange } from '../raw.js';
import { startSmallApp, type SmallApp } from '../small-app.js';

const id = '01900000-0000-7000-8000-000000000001';
const [session, machine] = ['01900000-0000-7000-8000-000000000002', '01900000-0000-7000-8000-000000000003'];
const person = {
  kind: 'person',
  userId: id,
  sessionId: session,
  roles: [],
  authenticatedAt: new Date(),
  methods: [],
  factorDue: false,
  enrolmentDue: false,
  inBrowser: false,
} as const;
const program = {
  kind: 'machine',
  userId: id,
  machineId: machine,
  roles: [],
  method: 'api-key',
  scopes: [],
  tier: 'standard',
} as const;

@Controller('as')
class CallersController {
  private readonly logger = new Logger('Callers');

  @Get('person')
  person() {
    Object.assign(requestContext() ?? {}, { principal: person });
    this.logger.log('asked');
    return { is: 'person' };
  }

  @Get('machine')
  machine() {
    Object.assign(requestContext() ?? {}, { principal: program });
    return { is: 'machine' };
  }

  @Get('stream')
  @Header('content-type', 'text/plain')
  stream() {
    return new StreamableFile(Readable.from(['one', 'two']));
  }
}

let app: SmallApp;
beforeAll(async () => {
  app = await startSmallApp({ controllers: [CallersController] });
});
afterAll(() => app.close());

const lineOf = (requestId: string | undefined) =>
  app.logLine((line) => line['http.request.id'] === requestId && line['event.action'] === 'http_request');
const lineAfter = async (path: string, headers: Record<string, string | string[]> = {}) =>
  lineOf((await app.request('GET', path, { headers })).headers['x-request-id']);

const [trace, span] = ['4bf92f3577b34da6a3ce929d0e0e4736', '00f067aa0ba902b7'];

describe('who called, how much was sent, and in which trace (practice 10.1, ASVS 16.2)', () => {
  it('a person: the session, so that one stolen session can be followed [practice 10.1] [ASVS 16.2.1]', async () => {
    const line = await lineAfter('/as/person');
    expect(line).toMatchObject({ 'principal.kind': 'person', 'user.id': id, 'session.id': session });
    expect(line).not.toHaveProperty('machine.id');
  });

  it('a machine: no session; nobody: neither [ASVS 16.2.1]', async () => {
    const line = await lineAfter('/as/machine');
    expect(line).toMatchObject({ 'principal.kind': 'machine', 'user.id': id, 'machine.id': machine });
    expect(line).not.toHaveProperty('session.id');
    expect(await lineAfter('/things')).not.toHaveProperty('principal.kind');
  });

  it('bytes of both bodies, as announced and as sent', async () => {
    const { headers, text } = await app.request('POST', '/things', { body: { some: 'thing' } });
    expect(await lineOf(headers['x-request-id'])).toMatchObject({
      'http.request.body.bytes': Buffer.byteLength('{"some":"thing"}'),
      'http.response.body.bytes': Buffer.byteLength(text),
    });
    const { headers: ofHead } = await app.request('HEAD', '/things');
    expect(await lineOf(ofHead['x-request-id'])).toMatchObject({
      'http.request.body.bytes': 0,
      'http.response.body.bytes': 0,
    });
    expect(await lineAfter('/as/stream')).not.toHaveProperty('http.response.body.bytes');
  });

  it('a trace that the client began goes on; its span is not ours, and the request id is made here', async () => {
    const line = await lineAfter('/things', { traceparent: `00-${trace}-${span}-01` });
    expect(line['trace.id']).toBe(trace);
    expect(line['span.id']).toMatch(/^[0-9a-f]{16}$/);
    expect(line['span.id']).not.toBe(span);
    expect(line['http.request.id']).not.toContain(trace);
  });

  it('without one each request has a trace of its own, and so has every line of it', async () => {
    const lines = [await lineAfter('/as/person'), await lineAfter('/as/person')];
    expect(new Set(lines.map((line) => line['trace.id'])).size).toBe(2);
    for (const line of lines) expect(line['trace.id']).toMatch(/^[0-9a-f]{32}$/);
    const asked = await app.logLine(
      ({ message, 'http.request.id': of }) => message === 'asked' && of === lines[0]?.['http.request.id'],
    );
    expect(asked['trace.id']).toBe(lines[0]?.['trace.id']);
  });

  it.each([
    ['zeros', `00-${'0'.repeat(32)}-${span}-01`],
    ['a span of zeros', `00-${trace}-${'0'.repeat(16)}-01`],
    ['capitals', `00-${trace.toUpperCase()}-${span}-01`],
    ['another version', `cc-${trace}-${span}-01`],
    ['more behind it', `00-${trace}-${span}-01-what-the-future-will-be-like`],
    ['a forged line', `00-${trace}-${span}-01"} {"log.level":"error","message":"forged"}`],
    ['tab and escape', `00-${trace}\t-${span}-01\u0080`],
    ['100 kB less one', `00-${'a'.repeat(9_000)}-${span}-01`],
    ['an e-mail address', 'canary@example.org'],
  ])('sends a traceparent of %s: not taken, nothing of it is logged [ASVS 16.4.1]', async (_name, traceparent) => {
    const line = await lineAfter('/things', { traceparent });
    expect(line['trace.id']).toMatch(/^[0-9a-f]{32}$/);
    expect(line['trace.id']).not.toBe(trace);
    expect(app.logText()).not.toMatch(/forged|canary@|aaaaaaaa|what-the-future/);
  });

  it('sends two: none of them is taken [ASVS 16.4.1]', async () => {
    const fields = [1, 2].map(() => `traceparent: 00-${trace}-${span}-01\r\n`).join('');
    const { headers } = await exchange(
      app,
      `GET /things HTTP/1.1\r\nHost: localhost\r\n${fields}Connection: close\r\n\r\n`,
    );
    expect((await lineOf(headers['x-request-id']))['trace.id']).not.toBe(trace);
  });

  it('the internal and the plain listener have them too, and what no parser could read has a trace', async () => {
    for (const port of [app.internalPort, app.redirectPort]) {
      const headers = { traceparent: `00-${trace}-${span}-00` };
      const requestId = await new Promise<string>((resolve, reject) => {
        plainRequest({ host: '127.0.0.1', port, path: '/health/live', headers, agent: false }, (answer) => {
          answer.resume().on('end', () => resolve(String(answer.headers['x-request-id'])));
        })
          .on('error', reject)
          .end();
      });
      const line = await lineOf(requestId);
      expect(line).toMatchObject({ 'trace.id': trace, 'http.request.body.bytes': 0 });
      expect(line['http.response.body.bytes']).toBeGreaterThan(10);
    }
    const { headers } = await exchange(app, 'rubbish\r\n\r\n');
    expect((await lineOf(headers['x-request-id']))['trace.id']).toMatch(/^[0-9a-f]{32}$/);
  });
});
