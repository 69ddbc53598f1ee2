import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { Logger } from '@nestjs/common';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { boundConnections } from '../../../src/security/transport/connections.js';

const servers: Server[] = [];
const clients: Socket[] = [];
afterEach(() => {
  for (const client of clients.splice(0)) client.destroy();
  for (const server of servers.splice(0)) server.close();
});

const small = { total: 20, perNeighbourhood: 5, perNetwork: 3, alwaysFree: 1 };

async function serve(trustedProxies: readonly string[] = [], bounds = small) {
  Logger.overrideLogger(false);
  const server = createServer().listen(0, '127.0.0.1');
  servers.push(server);
  const open = boundConnections(server, trustedProxies, bounds);
  server.on('connection', (socket: Socket) => socket.destroyed || socket.on('error', () => undefined).write('welcome'));
  await once(server, 'listening');
  return { open, port: (server.address() as AddressInfo).port };
}

/** Opens connections and tells how many the server keeps. */
async function kept(port: number, localAddress: string, count: number): Promise<number> {
  const sockets = Array.from({ length: count }, () => connect({ port, host: '127.0.0.1', localAddress }));
  clients.push(...sockets);
  const welcomes = sockets.map(
    (socket) =>
      new Promise<number>((resolve) =>
        socket
          .once('data', () => resolve(1))
          .once('close', () => resolve(0))
          .on('error', () => undefined),
      ),
  );
  return (await Promise.all(welcomes)).reduce((sum, one) => sum + one, 0);
}

describe('Connections are bounded (ASVS 15.2.2)', () => {
  it('one network opens more than its share: closed at once, neighbours get in [ASVS 15.2.2]', async () => {
    const { port } = await serve();
    expect(await kept(port, '127.0.7.1', 5)).toBe(3);
    expect(await kept(port, '127.0.7.2', 3)).toBe(2);
    expect(await kept(port, '127.0.8.1', 1)).toBe(1);
  });

  it('a few addresses take all they can: there is still room for others [ASVS 15.2.2]', async () => {
    const { port, open } = await serve([], { total: 24, perNeighbourhood: 12, perNetwork: 12, alwaysFree: 1 });
    for (const third of [1, 2, 3, 4]) await kept(port, `127.0.${third}.1`, 12);
    const taken = open.size;
    expect(taken).toBeLessThan(24);
    for (const third of [5, 6]) expect(await kept(port, `127.0.${third}.1`, 1)).toBe(1);
    expect(open.size).toBe(taken + 2);
  });

  it('closes its connections: the share is free again, and nothing is remembered of it', async () => {
    const { port, open } = await serve();
    expect(await kept(port, '127.0.7.1', 3)).toBe(3);
    for (const client of clients.splice(0)) client.destroy();
    await vi.waitFor(() => expect(open.size).toBe(0), { interval: 5 });
    expect(await kept(port, '127.0.7.1', 3)).toBe(3);
  });

  it.each(['127.0.7.1', '127.0.7.0/24'])('comes through the trusted proxy %s: only the total counts', async (proxy) => {
    const { port } = await serve([proxy]);
    expect(await kept(port, '127.0.7.1', 19)).toBe(19);
    expect(await kept(port, '127.0.8.1', 4)).toBe(1);
    expect(await kept(port, '127.0.7.1', 4)).toBe(0);
  });
});
