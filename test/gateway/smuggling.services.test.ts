import { connect as connectHttp2 } from 'node:http2';
import { connect, createServer, type Server, type TLSSocket } from 'node:tls';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startApp, type TestApp } from '../support/app.js';
import { Edge, instancesOf, shown, Trust } from './edge.js';

/** A route that the edge lets through: what is smuggled would be taken. */
const hidden = 'GET /problems/smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n';
const begin = 'POST /v1/auth/login HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\nContent-Type: application/json\r\n';
const post = (fields: string, body: string): string => `${begin}${fields}\r\n${body}`;
const chunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`;
const length = `Content-Length: ${hidden.length}\r\n`;
const chunked = 'Transfer-Encoding: chunked\r\n';
const inChunks = `${chunk('{}')}0\r\n\r\n`;

/** Each says where its body ends in two ways, or in one that somebody reads in another. */
const variants: Readonly<Record<string, string>> = {
  'CL.TE': post(`Content-Length: ${5 + hidden.length}\r\n${chunked}`, `0\r\n\r\n${hidden}`),
  'TE.CL': post(`Content-Length: 4\r\n${chunked}`, `${chunk(hidden)}0\r\n\r\n`),
  'TE before CL': post(`${chunked}${length}`, `0\r\n\r\n${hidden}`),
  'two lengths': post(`Content-Length: 0\r\n${length}`, hidden),
  'two equal lengths': post(`${length}${length}`, hidden),
  'a list of lengths': post(`Content-Length: ${hidden.length}, ${hidden.length}\r\n`, hidden),
  'a length with a sign': post(`Content-Length: +${hidden.length}\r\n`, hidden),
  'a length in hexadecimal': post(`Content-Length: 0x${hidden.length.toString(16)}\r\n`, hidden),
  'a negative length': post('Content-Length: -1\r\n', hidden),
  'a length with a blank inside': post('Content-Length: 1 0\r\n', hidden),
  'two codings': post(`${chunked}${chunked}`, inChunks),
  'an unknown coding': post('Transfer-Encoding: xchunked\r\n', inChunks),
  'identity, chunked': post('Transfer-Encoding: identity, chunked\r\n', inChunks),
  'chunked, identity': post('Transfer-Encoding: chunked, identity\r\n', inChunks),
  'a coding with a vertical tab': post('Transfer-Encoding:\u000bchunked\r\n', `0\r\n\r\n${hidden}`),
  'a coding in quotes': post('Transfer-Encoding: "chunked"\r\n', inChunks),
  'a blank before the colon': post(`${length}Transfer-Encoding : chunked\r\n`, hidden),
  'an underscore for the hyphen': post(`${length}Transfer_Encoding: chunked\r\n`, hidden),
  'a folded coding': post(`${length}Transfer-Encoding:\r\n chunked\r\n`, hidden),
  'a folded field': post(`X-Fold: a\r\n b\r\n${length}`, hidden),
  'a bare LF between fields': post(`X-A: b\nContent-Length: ${hidden.length}\r\n`, hidden),
  'a bare CR in a field': post(`X-A: b\rTransfer-Encoding: chunked\r\n${length}`, hidden),
  'a NUL in a field': post(`X-A: b\u0000c\r\n${length}`, hidden),
  'a NUL in a name': post(`X-\u0000A: b\r\n${length}`, hidden),
  'an extension of a chunk': post(chunked, `2;a="\r\n${hidden}"\r\n{}\r\n0\r\n\r\n`),
  'an extension of a chunk with a bare LF': post(chunked, `2;a\n{}\r\n0\r\n\r\n`),
  'a chunk that is too long to be': post(chunked, `ffffffffffffffff1\r\n{}\r\n0\r\n\r\n`),
  'a chunk with a sign': post(chunked, `+2\r\n{}\r\n0\r\n\r\n`),
  'a chunk in 0x': post(chunked, `0x2\r\n{}\r\n0\r\n\r\n`),
  'a chunk without its end': post(chunked, `2\r\n{}0\r\n\r\n${hidden}`),
  'a trailer that is a length': post(chunked, `${chunk('{}')}0\r\nContent-Length: 99\r\n\r\n`),
  'GET with a length': `GET /problems HTTP/1.1\r\nHost: localhost\r\n${length}\r\n${hidden}`,
  'HTTP/1.0 with a coding': post(chunked, `0\r\n\r\n${hidden}`).replace('HTTP/1.1', 'HTTP/1.0'),
  'HTTP/1.1 with a blank': post(length, hidden).replace('HTTP/1.1', 'HTTP/1.1 '),
  'HTTP/2.0 in the line': post(length, hidden).replace('HTTP/1.1', 'HTTP/2.0'),
  'the absolute form': post(length, hidden).replace('/v1/auth/login', 'https://localhost/v1/auth/login'),
  'the absolute form of another host': post(length, hidden).replace(
    '/v1/auth/login',
    'https://evil.example/v1/auth/login',
  ),
  'the authority form': post(length, hidden).replace('POST /v1/auth/login', 'CONNECT localhost:443'),
  'two hosts': post(`Host: evil.example\r\n${length}`, hidden),
  'no host': post(length, hidden).replace('Host: localhost\r\n', ''),
  'a NUL in the target': post(length, hidden).replace('/login', '/login%00'),
  'a raw NUL in the target': post(length, hidden).replace('/login', '/login\u0000'),
  'a tab in the line': post(length, hidden).replace('POST /', 'POST\t/'),
  'a method in small letters': post(length, hidden).replace('POST', 'post'),
  'a CRLF before the line': `\r\n${post(length, hidden)}`,
  'an expectation': post(`Expect: 100-continue\r\n${length}`, hidden),
  'an upgrade to HTTP/2': post(
    `Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAA\r\n${length}`,
    hidden,
  ),
  'fields that the hop is to drop': post(`Connection: close, Content-Length, Authorization\r\n${length}`, hidden),
};

interface Forwarded {
  readonly line: string;
  readonly text: string;
}

let trust: Trust;
let app: TestApp;
let recorder: Server;
let edge: Edge;
let received: { text: string }[] = [];
/** The recorder hangs up on whatever comes. */
let hangsUp = false;

beforeAll(async () => {
  trust = await Trust.create();
  app = await startApp({ env: { TRUSTED_PROXIES: '127.0.0.1' }, instances: 1 });
  const own = shown(await trust.authority.issue('service', [{ type: 'dns', value: 'localhost' }]));
  const ca = readFileSync(trust.authority.caFile, 'utf8');
  recorder = createServer({ ...own, ca, requestCert: true, rejectUnauthorized: true }, record).listen(0, '127.0.0.1');
  await new Promise((done) => recorder.once('listening', done));
  // Without the rule set, which refuses most of it first: nginx and the service have to agree by themselves.
  // Twice the same one, so that there is another to ask.
  const { port } = recorder.address() as AddressInfo;
  edge = await Edge.start({ ports: [port, port], ca, withoutRules: true }, trust);
});
afterAll(async () => {
  await edge?.stop();
  recorder?.close();
  await app?.close();
  trust?.remove();
});
beforeEach(() => {
  received = [];
});

/** Keeps what comes, and answers each part of it that looks complete, as a service that reads too much would. */
function record(socket: TLSSocket): void {
  const own = { text: '' };
  socket.on('error', () => undefined);
  socket.on('data', (bytes: Buffer) => {
    if (!received.includes(own)) received.push(Object.assign(own, { text: '' }));
    own.text += bytes.toString('latin1');
    if (hangsUp) socket.destroy();
    else if (requestsIn(own.text) !== undefined)
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nCache-Control: public, max-age=60\r\n\r\n{}');
  });
}

/** By Content-Length alone, to the last byte; undefined while something is missing. */
function requestsIn(text: string): Forwarded[] | undefined {
  const found: Forwarded[] = [];
  for (let rest = text; rest !== '';) {
    const end = rest.indexOf('\r\n\r\n') + 4;
    const head = rest.slice(0, end);
    const total = end + Number(/^content-length: (\d+)\r$/im.exec(head)?.[1] ?? 0);
    if (end === 3 || rest.length < total) return undefined;
    found.push({ line: head.slice(0, head.indexOf('\r\n')), text: rest.slice(0, total) });
    rest = rest.slice(total);
  }
  return found;
}

/** Sends the bytes, and reads until the other side closes or has said nothing for a while. */
function talk(port: number, ca: string, bytes: string): Promise<string> {
  return new Promise((resolve) => {
    let said = '';
    const socket = connect({ host: '127.0.0.1', port, ca, servername: 'localhost', ALPNProtocols: ['http/1.1'] });
    const quiet = setTimeout(() => socket.destroy(), 400);
    socket.on('data', (part: Buffer) => {
      said += part.toString('latin1');
      quiet.refresh();
    });
    socket.on('error', () => undefined).on('close', () => resolve(said));
    socket.write(Buffer.from(bytes, 'latin1'));
  });
}

const answersIn = (text: string): number => text.match(/^HTTP\/1\.1 (?!100)\d{3} /gm)?.length ?? 0;

describe('two hops, one meaning of a message [practice 9.1] [ASVS 4.2.1]', () => {
  it.each(Object.entries(variants))(
    '%s: one request at most goes on, and means the same to the service',
    async (_, bytes) => {
      const said = await talk(edge.port, edge.ca, bytes);
      const forwarded = received.flatMap(({ text }) => requestsIn(text) ?? [{ line: 'unfinished', text }]);
      expect(forwarded.length).toBeLessThanOrEqual(1);
      expect(answersIn(said)).toBeGreaterThanOrEqual(forwarded.length);
      for (const { line, text } of forwarded) {
        expect(line).toMatch(/^(?:POST \/v1\/auth\/login|GET \/problems) HTTP\/1\.1$/);
        const head = text.slice(0, text.indexOf('\r\n\r\n'));
        expect(head).not.toMatch(/transfer.encoding|upgrade|http2-settings|^expect:|\n[ \t]|[^\r]\n|\0|\r[^\n]/im);
        expect(
          head
            .match(/^(?:host|content-length|connection|x-forwarded-for):/gim)
            ?.toSorted()
            .join(),
        ).toBe(/^content-length/im.test(head) ? 'Content-Length:,Host:,X-Forwarded-For:' : 'Host:,X-Forwarded-For:');
        const { ports, ca } = instancesOf(app);
        expect(answersIn(await talk(ports[0] ?? 0, ca, text))).toBe(1);
      }
    },
  );

  it('a length over HTTP/2 that is not that of the body: nothing goes on', async () => {
    for (const own of ['0', '5', '999']) {
      const session = connectHttp2(`https://localhost:${edge.port}`, { ca: edge.ca });
      const stream = session.request({
        ':method': 'POST',
        ':path': '/v1/auth/login',
        'content-type': 'application/json',
        'content-length': own,
      });
      stream.on('error', () => undefined).resume();
      stream.end(hidden);
      await new Promise((done) => stream.once('close', done));
      session.destroy();
    }
    expect(received).toEqual([]);
  });

  it('an answer that says it may be shared is not: the service is asked each time', async () => {
    for (let time = 0; time < 3; time++) expect((await edge.request('GET', '/v1/users/me')).status).toBe(200);
    expect(received.flatMap(({ text }) => requestsIn(text) ?? []).length).toBe(3);
  });

  it('a body whose end never comes: the service does not hear of the request', async () => {
    await talk(edge.port, edge.ca, post('Content-Length: 100\r\n', '{"email":'));
    expect(received).toEqual([]);
  });

  it('whoever plays the service with a certificate of another CA gets no request', async () => {
    const port = (recorder.address() as AddressInfo).port;
    const misled = await Edge.start({ ports: [port], ca: trust.publicCa }, trust);
    try {
      expect((await misled.request('GET', '/v1/users/me', { token: 'secret' })).status).toBe(503);
      expect(received).toEqual([]);
    } finally {
      await misled.stop();
    }
  });

  it('an answer is not sent again after what is not idempotent was sent', async () => {
    hangsUp = true;
    expect((await edge.request('POST', '/v1/auth/login', { body: {} })).status).toBe(503);
    expect(received.length).toBe(1);
  });
});
