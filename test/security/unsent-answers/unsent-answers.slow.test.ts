import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { Server } from 'node:https';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { maxPageBytes } from '../../../src/common/http/cursors.js';
import { unsentBounds } from '../../../src/security/unsent-answers/unsent-answers.js';
import { UnsentAnswers } from '../../../src/security/unsent-answers/unsent-answers.js';
import { signUp, type Actor } from '../../support/actors.js';
import { startApp, type TestApp } from '../../support/app.js';
import { SamplesModule } from '../../support/sample/samples.module.js';
import { SamplesRepository } from '../../support/sample/samples.repository.js';
import { unlimited } from '../../support/unlimited.js';

const large = 200;
const mebibyte = 1024 * 1024;
const bounds = { ...unsentBounds };

let app: TestApp;
let mallory: Actor;
let alice: Actor;
let answers: UnsentAnswers;
const sockets = new Set<TLSSocket>();

beforeAll(async () => {
  unlimited();
  Object.assign(unsentBounds, { checkIntervalMs: 50 });
  app = await startApp({ modules: [SamplesModule], instances: 1 });
  [mallory, alice] = await Promise.all([signUp(app, 'mallory'), signUp(app, 'alice')]);
  answers = app.on(0).service.app.get(UnsentAnswers, { strict: false });
  const server = app.on(0).service.app.getHttpServer() as Server;
  server.on(
    'secureConnection',
    (socket: TLSSocket) => void sockets.add(socket.once('close', () => sockets.delete(socket))),
  );
  // By SQL, because 200 requests of 60 KB take long.
  await app.sql(
    `INSERT INTO samples (id, owner_id, title, body)
     SELECT ('01900000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, $1::uuid, 'Large',
       repeat('€', 20000)
     FROM generate_series(1, $2::int) n`,
    [mallory.userId, large],
  );
});
afterAll(async () => {
  vi.restoreAllMocks();
  Object.assign(unsentBounds, bounds);
  await app.close();
});
beforeEach(() => void Object.assign(unsentBounds, { ...bounds, checkIntervalMs: 50 }));

const get = (path: string, { token }: Actor = mallory) => app.request('GET', path, { token });
/** What the sockets of the service hold for clients that do not read. */
const heldBySockets = () => [...sockets].reduce((sum, { writableLength }) => sum + writableLength, 0);

/** Waits until the service does no more for those who do not read. */
async function settled(): Promise<void> {
  let before = -1;
  await vi.waitFor(
    () => {
      const now = answers.total;
      const isSame = now === before;
      before = now;
      expect(isSame).toBe(true);
    },
    { timeout: 20_000, interval: 100 },
  );
}

/** Connections that ask, many times on each, and read nothing. */
async function askAndReadNothing(
  connections: number,
  requests: number,
  path: string,
  atOnce = 8,
): Promise<TLSSocket[]> {
  const { https: port } = app.on(0).addresses;
  const ca = readFileSync(join(app.dataDirectory, 'tls', 'ca.crt'));
  const head = `GET ${path} HTTP/1.1\r\nhost: localhost:${port}\r\nauthorization: Bearer ${mallory.token}\r\n\r\n`;
  const opened = Array.from({ length: connections }, async () => {
    const socket = connect({ host: '127.0.0.1', servername: 'localhost', port, ca });
    socket.on('error', () => undefined).pause();
    await once(socket, 'secureConnect');
    return socket;
  });
  const clients = await Promise.all(opened);
  for (let round = 0; round < requests / atOnce; round++) {
    for (const client of clients) client.write(head.repeat(Math.min(requests, atOnce)));
    await settled();
  }
  return clients;
}

interface Page {
  readonly items: { readonly id: string }[];
  readonly nextCursor: string | null;
  readonly previousCursor: string | null;
}

describe('a page is bounded in bytes [API4] [ASVS 15.2.2] [practice 4.1]', () => {
  it('asks for a hundred samples of 60 KB: the page ends early, no row is lost or repeated', async () => {
    const read = vi.spyOn(SamplesRepository.prototype, 'list');
    const pages: Page[] = [];
    for (let cursor = ''; ;) {
      const { text, body } = await get(`/v1/samples?limit=100${cursor}`);
      expect(Buffer.byteLength(text)).toBeLessThan(maxPageBytes + 60_000);
      pages.push(body as Page);
      if (pages.at(-1)?.nextCursor === null) break;
      cursor = `&cursor=${pages.at(-1)?.nextCursor}`;
    }
    const ids = pages.flatMap(({ items }) => items.map(({ id }) => id));
    expect([ids.length, new Set(ids).size]).toEqual([large, large]);
    expect(ids).toEqual(ids.toSorted().toReversed());
    const back: string[] = [];
    for (let cursor = pages.at(-1)?.previousCursor ?? null; cursor !== null;) {
      const { body } = await get(`/v1/samples?limit=100&cursor=${cursor}`);
      const { items, previousCursor } = body as Page;
      back.unshift(...items.map(({ id }) => id));
      cursor = previousCursor;
    }
    expect(back).toEqual(ids.slice(0, large - (pages.at(-1)?.items.length ?? 0)));
    // Not read from the database first and thrown away then.
    expect(Math.max(...read.mock.calls.map(([, , { take }]) => take))).toBeLessThan(30);
  });
});

describe('clients ask for much and read nothing [API4] [ASVS 15.2.2] [practice 4.1]', () => {
  it('pipelines hundreds of pages over many connections: bounded memory, a neighbour is served', async () => {
    const clients = await askAndReadNothing(20, 48, '/v1/samples?limit=100');
    const seen: number[] = [];
    for (let count = 0; count < 20; count++) {
      expect((await get('/v1/users/me', alice)).status).toBe(200);
      seen.push(heldBySockets(), answers.total);
    }
    expect(Math.max(...seen)).toBeLessThan(unsentBounds.perCaller + mebibyte);
    // What found no room was refused, and not kept.
    expect(app.logs().filter((line) => line['http.response.status_code'] === 503).length).toBeGreaterThan(20);
    for (const client of clients) client.destroy();
    await vi.waitFor(() => expect(answers.total).toBe(0), { timeout: 10_000, interval: 20 });
    expect((await get('/v1/samples?limit=100')).status).toBe(200);
  });

  it('pipelines more requests on one connection than it may: it is cut, and nothing of it stays', async () => {
    const [client] = await askAndReadNothing(1, 100, '/v1/samples?limit=100', 100);
    client?.resume();
    await vi.waitFor(() => expect(client?.destroyed).toBe(true), { timeout: 20_000, interval: 20 });
    await vi.waitFor(() => expect(answers.total).toBe(0), { timeout: 10_000, interval: 20 });
  });

  it('reads a few bytes now and then, for ever: cut, because it is slow, not because it is silent', async () => {
    Object.assign(unsentBounds, {
      graceMs: 300,
      minBytesPerSecond: 4 * mebibyte,
      perConnection: 64 * mebibyte,
      perCaller: 64 * mebibyte,
    });
    const [client] = await askAndReadNothing(1, 48, '/v1/samples?limit=100');
    const drip = setInterval(() => client?.read(1_000), 20);
    await vi.waitFor(() => expect(sockets.size).toBe(0), { timeout: 20_000, interval: 20 });
    clearInterval(drip);
    client?.destroy();
    expect(answers.total).toBe(0);
  });
});

describe('the export leaves as it is read [API4] [ASVS 15.2.2] [practice 7.4]', () => {
  it('an export of 12 MB that nobody reads: a few pieces are in memory, the rest in the database', async () => {
    const read = vi.spyOn(SamplesRepository.prototype, 'list');
    const [client] = await askAndReadNothing(1, 1, '/v1/users/me/export');
    let calls = -1;
    await vi.waitFor(
      () => {
        const before = calls;
        calls = read.mock.calls.length;
        expect(calls).toBeGreaterThan(0);
        expect(calls).toBe(before);
      },
      { timeout: 20_000, interval: 300 },
    );
    expect(heldBySockets()).toBeLessThan(2 * mebibyte);
    client?.destroy();
    await vi.waitFor(() => expect(answers.total).toBe(0), { timeout: 10_000, interval: 20 });
    read.mockClear();
    const whole = await get('/v1/users/me/export');
    expect(whole.body.samples).toHaveLength(large);
    expect(calls).toBeLessThan(read.mock.calls.length);
  });

  it('a fault in the middle: the connection breaks off, and what arrived is no document', async () => {
    const fault = vi.spyOn(SamplesRepository.prototype, 'list').mockRejectedValue(new Error('the database is gone'));
    await expect(get('/v1/users/me/export')).rejects.toThrow(/aborted|hang up|reset/);
    fault.mockRestore();
    expect((await get('/v1/users/me/export')).status).toBe(200);
  });
});
