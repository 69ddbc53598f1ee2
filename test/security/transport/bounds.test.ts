import { EventEmitter } from 'node:events';
import type { Server as HttpsServer } from 'node:https';
import type { Server, Socket } from 'node:net';
import { Logger } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { boundConnections } from '../../../src/security/transport/connections.js';
import { InternalListener, limits, RedirectListener } from '../../../src/security/transport/index.js';
import { startSmallApp, type SmallApp } from '../small-app.js';

let app: SmallApp;
beforeAll(async () => {
  app = await startSmallApp();
});
afterAll(() => app.close());

/** Sockets that are open at a time, as the system would hand them over. */
function opened(server: Server, count: number, address: (index: number) => string): number {
  let kept = 0;
  for (let index = 0; index < count; index++) {
    const socket = Object.assign(new EventEmitter(), {
      remoteAddress: address(index),
      isOpen: true,
      destroy: () => Object.assign(socket, { isOpen: false }),
    });
    server.emit('connection', socket as unknown as Socket);
    if (socket.isOpen) kept += 1;
  }
  return kept;
}

describe('The bounds are those that somebody has decided (ASVS 15.2.2, practice 1.2)', () => {
  it('bytes and times, as the parser of the HTTPS listener has them [A4-1]', () => {
    const decided = {
      bodyBytes: 65_536,
      headerBytes: 16_384,
      requestTimeout: 30_000,
      headersTimeout: 10_000,
      keepAliveTimeout: 72_000,
      connectionTimeout: 60_000,
      handshakeTimeout: 10_000,
      checkInterval: 2_000,
    };
    expect(limits).toEqual(decided);
    const { requestTimeout, headersTimeout, keepAliveTimeout, timeout, maxConnections } =
      app.nest.getHttpServer() as HttpsServer;
    expect([requestTimeout, headersTimeout, keepAliveTimeout, timeout, maxConnections]).toEqual([
      30_000, 10_000, 72_000, 60_000, 4_096,
    ]);
  });

  it.each([RedirectListener, InternalListener])('the same of a plain listener [A4-1]', (listener) => {
    const { requestTimeout, headersTimeout, keepAliveTimeout, timeout, maxConnections } = Reflect.get(
      app.nest.get(listener),
      'server',
    ) as HttpsServer;
    expect([requestTimeout, headersTimeout, keepAliveTimeout, timeout, maxConnections]).toEqual([
      10_000, 5_000, 5_000, 10_000, 4_096,
    ]);
  });

  it('one network opens 520 connections: 512 stay; others get in, a trusted proxy has no share [A4-1]', () => {
    Logger.overrideLogger(false);
    const server = new EventEmitter() as unknown as Server;
    boundConnections(server, ['192.0.2.9']);
    expect(opened(server, 520, (index) => `2001:db8:1:1::${index}`)).toBe(512);
    expect(opened(server, 520, (index) => `2001:db8:1:2::${index}`)).toBe(512);
    expect(opened(server, 1, () => '2001:db8:1:3::1')).toBe(0);
    expect(opened(server, 5, () => '192.0.2.1')).toBe(5);
    expect(opened(server, 1_030, () => '192.0.2.9')).toBe(1_030);
  });
});
