import { once } from 'node:events';
import type { TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { lingerBounds } from '../../../src/security/transport/linger.js';
import { open, readToEnd } from '../raw.js';
import { startSmallApp, type SmallApp } from '../small-app.js';

const mib = 1024 * 1024;
const bounds = { ...lingerBounds };
const head = 'POST /things HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n';

let app: SmallApp;
beforeAll(async () => {
  app = await startSmallApp();
});
afterEach(() => void Object.assign(lingerBounds, bounds));
afterAll(() => app.close());

describe('A body that is far too long is refused so that its sender reads why (RFC 9112 section 9.6)', () => {
  it.each([2, 8])('sends %i MiB at once: 413 and no broken pipe [A4-1] [practice 6.2]', async (size) => {
    const raw = Buffer.alloc(size * mib, 0x20);
    for (let times = 0; times < 3; times++) {
      const answer = await app.request('POST', '/things', { raw });
      expect(answer).toMatchObject({
        status: 413,
        headers: { connection: 'close' },
        body: { type: '/problems/content-too-large' },
      });
    }
  });

  it('sends 8 MiB of another type, or to a foreign host: refused and no broken pipe [A4-1]', async () => {
    const raw = Buffer.alloc(8 * mib, 0x20);
    expect(await app.request('POST', '/things', { raw, headers: { 'content-type': 'text/plain' } })).toMatchObject({
      status: 415,
    });
    expect(await app.request('POST', '/things', { raw, headers: { host: 'evil.example' } })).toMatchObject({
      status: 421,
    });
  });

  it.each([
    ['with its length', `Content-Length: ${8 * mib}\r\n\r\n`, ''],
    ['in chunks', `Transfer-Encoding: chunked\r\n\r\n${(16 * mib).toString(16)}\r\n`, ''],
    [
      'with a request behind it',
      `Content-Length: ${8 * mib}\r\n\r\n`,
      'GET /things?behind=1 HTTP/1.1\r\nHost: localhost\r\n\r\n',
    ],
  ])(
    'writes 8 MiB %s before it reads, as many clients do: no broken pipe, and the 413 alone is there [A4-1]',
    async (_how, fields, behind) => {
      const socket = await open(app);
      const failures: unknown[] = [];
      socket.on('error', (error) => failures.push(error));
      await write(socket, head + fields);
      for (let sent = 0; sent < 128; sent++) await write(socket, Buffer.alloc(64 * 1024, 0x20));
      await write(socket, behind);
      expect(failures).toEqual([]);
      expect(await readToEnd(socket)).toMatchObject({ status: 413, answers: 1, headers: { connection: 'close' } });
      expect(app.logText()).not.toContain('behind');
    },
  );

  it.each([
    ['the time is up', { ms: 200, idleMs: 60_000, bytes: Infinity }],
    ['the bytes are up', { ms: 60_000, idleMs: 60_000, bytes: 100_000 }],
    ['too many do so', { ms: 60_000, idleMs: 60_000, bytes: Infinity, connections: 0 }],
  ])('sends without an end: cut when %s [A4-1] [ASVS 15.2.2]', async (_what, short) => {
    Object.assign(lingerBounds, short);
    const socket = await open(app);
    const closed = readToEnd(socket);
    socket.write(`${head}Content-Length: 1000000000\r\n\r\n`);
    await once(socket, 'data');
    const more = setInterval(() => void (socket.writable && socket.write('x'.repeat(20_000))), 20);
    expect(await closed).toMatchObject({ status: 413, answers: 1 });
    clearInterval(more);
    await vi.waitFor(async () => expect(await connections()).toBe(0), { timeout: 5_000 });
  });

  it('keeps the connection open and sends nothing: closed in order after a while [A4-1] [ASVS 15.2.2]', async () => {
    Object.assign(lingerBounds, { ms: 60_000, idleMs: 100 });
    const socket = await open(app);
    const ended = once(socket, 'end');
    socket.write(`${head}Content-Length: 1000000000\r\n\r\n`);
    expect(await readToEnd(socket)).toMatchObject({ status: 413, answers: 1 });
    await ended;
  });

  const write = (socket: TLSSocket, bytes: string | Buffer) =>
    new Promise<void>((resolve) => socket.write(bytes, () => resolve()));

  const connections = () =>
    new Promise<number>((resolve, reject) => {
      app.nest
        .getHttpServer()
        .getConnections((error: Error | null, count: number) => (error === null ? resolve(count) : reject(error)));
    });
});
