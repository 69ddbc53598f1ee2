import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Server } from 'node:https';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SecurityEvents } from '../../src/common/events/security-events.js';
import { requestContext } from '../../src/common/http/request-context.js';
import { exchange, open, readToEnd } from '../security/raw.js';
import { signUp, type Actor } from '../support/actors.js';
import type { TestApp } from '../support/app.js';
import { machineToken } from '../support/sample/machines.js';
import { SamplesModule } from '../support/sample/samples.module.js';
import { ClosedWebhooksModule, received, SampleWebhooksModule } from './sample-webhooks.js';
import {
  delivery,
  post,
  push,
  reasonOf,
  refused,
  secrets,
  signatureOf,
  startWebhooks,
  traces,
  type Sent,
} from './webhooks.js';

let app: TestApp;
let person: Actor;
/** Of each refused request, what was told inside. */
const told = new Map<string, unknown>();
beforeAll(async () => {
  app = await startWebhooks({ modules: [SampleWebhooksModule, ClosedWebhooksModule, SamplesModule], instances: 1 });
  person = await signUp(app, 'person');
  app
    .on(0)
    .service.app.get(SecurityEvents, { strict: false })
    .observe(({ action, details }) => {
      if (action === 'webhook_rejected') told.set(requestContext()?.requestId ?? '', details);
    });
});
afterAll(() => app.close());

const nothing = [0, 0];
const seconds = () => Math.floor(app.clock.now().getTime() / 1000);
const withHeaders = (sent: Sent, changes: Record<string, string>): Sent => ({
  ...sent,
  headers: { ...sent.headers, ...changes },
});
const without = ({ headers, ...sent }: Sent, field: string): Sent => ({
  ...sent,
  headers: Object.fromEntries(Object.entries(headers).filter(([name]) => name !== field)),
});
const signature = ({ headers }: Sent) => headers['webhook-signature'] ?? '';
const resigned = (sent: Sent, change: (text: string) => string): Sent =>
  withHeaders(sent, { 'webhook-signature': change(signature(sent)) });

describe('a webhook of somebody else: 403, nothing happens, the reason is told inside [A10-5] [ASVS 16.5.3]', () => {
  const attacks: [name: string, reason: string, make: () => Sent][] = [
    ['no signature', 'missing', () => without(delivery(app), 'webhook-signature')],
    ['no id', 'missing', () => without(delivery(app), 'webhook-id')],
    ['no time', 'missing', () => without(delivery(app), 'webhook-timestamp')],
    ['the secret of another sender', 'signature', () => delivery(app, { secret: secrets.ledger })],
    ['the signature of another body', 'signature', () => resigned(delivery(app), () => signature(delivery(app)))],
    ['another id', 'signature', () => withHeaders(delivery(app), { 'webhook-id': `msg_${randomUUID()}` })],
    ['another time', 'signature', () => withHeaders(delivery(app), { 'webhook-timestamp': String(seconds() + 1) })],
    ['six minutes old', 'time', () => delivery(app, { at: seconds() - 360 })],
    ['six minutes ahead', 'time', () => delivery(app, { at: seconds() + 360 })],
    ['a time that is no number', 'malformed', () => delivery(app, { at: 'yesterday' })],
    ['a time in hexadecimal', 'malformed', () => delivery(app, { at: `0x${seconds().toString(16)}` })],
    ['a time with a fraction', 'malformed', () => delivery(app, { at: `${seconds()}.0` })],
    ['a negative time', 'malformed', () => delivery(app, { at: -seconds() })],
    ['an id that is a path', 'malformed', () => delivery(app, { id: '../../etc/passwd' })],
    ['an id with a brace', 'malformed', () => delivery(app, { id: `a.1.{"x":1}` })],
    ['an id of 129 characters', 'malformed', () => delivery(app, { id: 'a'.repeat(129) })],
    ['an empty id', 'malformed', () => delivery(app, { id: '' })],
    ['an empty list', 'signature', () => resigned(delivery(app), () => '')],
    ['a version without a signature', 'signature', () => resigned(delivery(app), () => 'v1,')],
    ['another version', 'signature', () => resigned(delivery(app), (text) => text.replace('v1,', 'v2,'))],
    ['no version', 'signature', () => resigned(delivery(app), (text) => text.replace('v1,', ''))],
    ['no padding', 'signature', () => resigned(delivery(app), (text) => text.replace('=', ''))],
    ['more padding', 'signature', () => resigned(delivery(app), (text) => `${text}=`)],
    ['something behind it', 'signature', () => resigned(delivery(app), (text) => `${text}!`)],
    [
      'hexadecimal',
      'signature',
      () => resigned(delivery(app), (text) => `v1,${Buffer.from(text.slice(3), 'base64').toString('hex')}`),
    ],
    ['another spelling of the last bits', 'signature', () => resigned(delivery(app), otherLastBits)],
    ['half of it', 'signature', () => resigned(delivery(app), (text) => text.slice(0, 24))],
    [
      'the right one behind a hundred',
      'malformed',
      () => resigned(delivery(app), (text) => `${'v1,AAAA '.repeat(100)}${text}`),
    ],
  ];

  /** The same 32 bytes to a lenient decoder: two bits of the last character say nothing. */
  const otherLastBits = (text: string): string => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
    const last = text.at(-2) ?? '';
    return `${text.slice(0, -2)}${alphabet[alphabet.indexOf(last) + 1]}=`;
  };

  it.each(attacks)('%s: %s', async (_name, reason, make) => {
    const sent = make();
    const before = received.length;
    const answer = await post(app, sent);
    expect(answer).toMatchObject(refused);
    expect([await traces(app, sent), received.length]).toEqual([nothing, before]);
    expect(told.get(answer.headers['x-request-id'] ?? '')).toEqual({ source: 'payments', reason });
  });

  it('a webhook of another route, sent here: its secret counts there alone', async () => {
    const sent = delivery(app);
    expect(await post(app, sent, 'ledger')).toMatchObject(refused);
    expect(await traces(app, sent)).toEqual(nothing);
  });

  it.each(['webhook-signature', 'webhook-id', 'webhook-timestamp'])(
    '%s twice, whichever is right: 403',
    async (field) => {
      const { headers, ...sent } = delivery(app);
      const twice = { ...headers, [field]: [headers[field] ?? '', headers[field] ?? ''] };
      const answer = await app.request('POST', '/v1/webhooks/payments', { raw: sent.raw, headers: twice });
      expect(answer).toMatchObject(refused);
      expect(await traces(app, { ...sent, headers })).toEqual(nothing);
    },
  );

  it.each([
    ['no prefix', (text: string) => text.replace('sha256=', '')],
    ['another digest', (text: string) => text.replace('sha256=', 'sha1=')],
    ['capitals', (text: string) => text.toUpperCase().replace('SHA256', 'sha256')],
    ['cut', (text: string) => text.slice(0, -1)],
    ['changed', (text: string) => text.replace(/.$/, (last) => (last === '0' ? '1' : '0'))],
  ])('HMAC of the body, %s: 403', async (_name, change) => {
    const sent = push();
    const changed = withHeaders(sent, { 'x-hub-signature-256': change(sent.headers['x-hub-signature-256'] ?? '') });
    expect(await post(app, changed, 'forge')).toMatchObject(refused);
    expect(await traces(app, changed)).toEqual(nothing);
  });

  // With: rate-limiting.
  it('is counted by the limit of its network, refused or not [practice 4.1]', async () => {
    const sent = resigned(delivery(app), () => 'v1,');
    const send = async () =>
      (await app.request('POST', '/v1/webhooks/payments', { ...sent, from: '127.250.0.9' })).headers['ratelimit'];
    const left = (text: string | undefined) => Number(/"network";r=(\d+)/.exec(text ?? '')?.[1]);
    const first = left(await send());
    expect(left(await send())).toBe(first - 1);
  });

  // With: rate-limiting.
  it('a valid one more than its limit: 429, and nothing happens [practice 4.1]', async () => {
    const from = '127.250.0.10';
    const send = (sent: Sent) => app.request('POST', '/v1/webhooks/few', { ...sent, from });
    const of = () => delivery(app, { secret: secrets.ledger });
    expect((await send(of())).status).toBe(204);
    expect((await send(of())).status).toBe(204);
    const third = of();
    expect(await send(third)).toMatchObject({ status: 429, body: { type: '/problems/too-many-requests' } });
    expect(await traces(app, third)).toEqual(nothing);
  });
});

describe('a recording that is sent again does nothing [A10-5] [ASVS 2.3.3]', () => {
  it('the same within its time: 204, one effect', async () => {
    const sent = delivery(app);
    expect([(await post(app, sent)).status, (await post(app, sent)).status]).toEqual([204, 204]);
    expect(await traces(app, sent)).toEqual([1, 1]);
  });

  it('the same a minute after its time: 403', async () => {
    const sent = delivery(app);
    expect((await post(app, sent)).status).toBe(204);
    app.clock.advance(360);
    expect(await post(app, sent)).toMatchObject(refused);
    app.clock.advance(-360);
    expect(await traces(app, sent)).toEqual([1, 1]);
  });

  it('HMAC of the body, under another id a year later: 204, one effect', async () => {
    const sent = push();
    expect((await post(app, sent, 'forge')).status).toBe(204);
    app.clock.advance(365 * 24 * 3600);
    const again = withHeaders(sent, { 'x-github-delivery': randomUUID() });
    expect((await post(app, again, 'forge')).status).toBe(204);
    app.clock.advance(-365 * 24 * 3600);
    expect(await traces(app, sent)).toEqual([1, 1]);
  });
});

describe('a signed webhook is input like any other [ASVS 1.5.3] [ASVS 2.2.1]', () => {
  const signedRaw = (raw: string) => delivery(app, { raw });

  it.each([
    ['a key twice', '{"type":"paid","type":"paid","data":{"id":"x"}}', 400, 'malformed-request'],
    ['a prototype', '{"type":"paid","data":{"id":"x"},"__proto__":{"admin":true}}', 400, 'malformed-request'],
    ['a list', '[]', 400, 'malformed-request'],
    ['half of it', '{"type":"paid","da', 400, 'malformed-request'],
    ['a hundred levels', `{"type":${'['.repeat(100)}${']'.repeat(100)}}`, 400, 'malformed-request'],
    ['nothing', '', 422, 'validation-failed'],
    ['a known field of another type', '{"type":1,"data":{"id":"x"}}', 422, 'validation-failed'],
    ['a path as an id', '{"type":"paid","data":{"id":"../../x"}}', 422, 'validation-failed'],
  ])('%s: refused, and the delivery is not used up', async (_name, raw, status, type) => {
    const sent = signedRaw(raw);
    const before = received.length;
    expect(await post(app, sent)).toMatchObject({ status, body: { type: `/problems/${type}` } });
    expect([await traces(app, sent), received.length]).toEqual([nothing, before]);
  });

  it.each(['text/plain', 'application/xml', 'application/x-www-form-urlencoded', 'application/json; charset=utf-16'])(
    'of the type %s: 415',
    async (type) => {
      const sent = withHeaders(delivery(app), { 'content-type': type });
      expect(await post(app, sent)).toMatchObject({ status: 415, body: { type: '/problems/unsupported-media-type' } });
      expect(await traces(app, sent)).toEqual(nothing);
    },
  );

  it('a bomb of gzip: 415, and never inflated [A4-1]', async () => {
    const { headers, payment } = delivery(app);
    const raw = gzipSync(Buffer.alloc(8 * 1024 * 1024));
    const answer = await app.request('POST', '/v1/webhooks/payments', {
      raw,
      headers: { ...headers, 'content-encoding': 'gzip' },
    });
    expect(answer).toMatchObject({ status: 415, body: { type: '/problems/unsupported-media-type' } });
    expect(await traces(app, { headers, payment, raw: '' })).toEqual(nothing);
  });

  it.each([65 * 1024, 2 * 1024 * 1024])('%i bytes: 413, signed or not [A4-1]', async (size) => {
    const sent = delivery(app, { fields: { filling: 'x'.repeat(size) } });
    expect(await post(app, sent)).toMatchObject({ status: 413, body: { type: '/problems/content-too-large' } });
    expect(await traces(app, sent)).toEqual(nothing);
  });

  it('too many bytes in chunks, without a length: 413 [A4-1]', async () => {
    const { headers, raw, payment } = delivery(app, { fields: { filling: 'x'.repeat(70 * 1024) } });
    const chunk = `${raw.length.toString(16)}\r\n${raw}\r\n0\r\n\r\n`;
    const answer = await exchange(listener(), `${headOf(headers)}Transfer-Encoding: chunked\r\n\r\n${chunk}`);
    expect(answer).toMatchObject({ status: 413, answers: 1 });
    expect(await traces(app, { headers, raw, payment })).toEqual(nothing);
  });
});

const listener = () => ({
  port: app.on(0).addresses.https,
  ca: readFileSync(join(app.dataDirectory, 'tls', 'ca.crt'), 'utf8'),
});
const headOf = (headers: Sent['headers']): string =>
  `POST /v1/webhooks/payments HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n${Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')}`;

describe('a body that does not come whole [A4-1] [ASVS 15.2.2]', () => {
  // With: logging.
  it('breaks off behind half of it: nothing happens, and the service goes on', async () => {
    const sent = delivery(app);
    const before = app.logs().filter(({ level }) => level === 'error').length;
    const socket = await open(listener());
    const closed = readToEnd(socket);
    socket.write(`${headOf(sent.headers)}Content-Length: ${sent.raw.length}\r\n\r\n${sent.raw.slice(0, 20)}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
    socket.destroy();
    await closed;
    expect(await traces(app, sent)).toEqual(nothing);
    expect((await post(app, sent)).status).toBe(204);
    expect(app.logs().filter(({ level }) => level === 'error')).toHaveLength(before);
  });

  it('never ends: 408, and nothing happens', async () => {
    const server = app.on(0).service.app.getHttpServer() as Server;
    const { requestTimeout, headersTimeout } = server;
    Object.assign(server, { requestTimeout: 300, headersTimeout: 300 });
    const sent = delivery(app);
    const head = `${headOf(sent.headers)}Content-Length: ${sent.raw.length}\r\n\r\n`;
    const answer = await exchange(listener(), `${head}${sent.raw.slice(0, 20)}`);
    Object.assign(server, { requestTimeout, headersTimeout });
    expect(answer).toMatchObject({ status: 408, answers: 1 });
    expect(await traces(app, sent)).toEqual(nothing);
  });
});

describe('a webhook route is for its sender alone [ASVS 8.2.1] [A5-6]', () => {
  it.each([
    ['a person', () => `Bearer ${person.token}`, 403],
    ['a machine', () => `Bearer ${machineToken({ userId: person.userId })}`, 403],
    ['nobody', () => 'Bearer forged', 401],
  ])('a credential of %s beside a good signature: refused', async (_who, authorization, status) => {
    const sent = withHeaders(delivery(app), { authorization: authorization() });
    expect((await post(app, sent)).status).toBe(status);
    expect(await traces(app, sent)).toEqual(nothing);
  });

  it.each(['GET', 'PUT', 'DELETE'])('%s: 405', async (method) => {
    expect((await app.request(method, '/v1/webhooks/payments')).status).toBe(405);
  });

  it('a sender without a secret: 404, whatever is signed', async () => {
    const [sent, before] = [delivery(app), received.length];
    expect(await post(app, sent, 'unset')).toMatchObject({ status: 404, body: { type: '/problems/not-found' } });
    expect([await traces(app, sent), received.length]).toEqual([nothing, before]);
  });

  it('nobody has verified the signature: the guard refuses', async () => {
    const [sent, before] = [delivery(app), received.length];
    expect(await post(app, sent, 'unverified')).toMatchObject({ status: 403, body: { type: '/problems/forbidden' } });
    expect([await traces(app, sent), received.length]).toEqual([nothing, before]);
  });

  it('what came is in no log line and no event', async () => {
    const sent = delivery(app, { fields: { note: 'canary-71144' }, secret: secrets.ledger });
    expect(await reasonOf(app, await post(app, sent))).toEqual({ source: 'payments', reason: 'signature' });
    for (const secret of ['canary-71144', signature(sent), secrets.payments.slice(6)])
      expect(app.logText()).not.toContain(secret);
    expect(JSON.stringify(await app.sql('SELECT * FROM audit_events'))).not.toContain('canary-71144');
  });

  it('a signature for one pair of id and time is none for another that reads alike', async () => {
    const sent = delivery(app);
    const { 'webhook-id': id = '', 'webhook-timestamp': at = '' } = sent.headers;
    const shifted = withHeaders(sent, { 'webhook-id': `${id}.${at}`, 'webhook-timestamp': at });
    expect(await post(app, shifted)).toMatchObject(refused);
    expect(signatureOf(secrets.payments, id, at, sent.raw)).toBe(signature(sent));
  });
});
