import type { Server, Socket } from 'node:net';
import { Logger } from '@nestjs/common';
import { createAddressCheck } from '../../common/client-address.js';
import { networkOf } from '../../common/network.js';

/** A TLS connection takes tens of KiB, so these bound the memory too; one network alone cannot shut the others out. */
export const connectionBounds = { total: 4_096, perNetwork: 1_024 };
const warningEveryMilliseconds = 60_000;

/**
 * Bounds the connections that are open at a time (ASVS v5.0.0-15.2.2). Trusted proxies speak for many clients, so only the
 * total counts for them.
 * @returns the open sockets, below TLS: also those that have not said a word.
 */
export function boundConnections(server: Server, trustedProxies: readonly string[] = [], bounds = connectionBounds): ReadonlySet<Socket> {
  const logger = new Logger('Transport');
  const open = new Set<Socket>();
  const perNetwork = new Map<string, number>();
  const isTrusted = createAddressCheck(trustedProxies);
  let nextWarning = 0;
  server.maxConnections = bounds.total;
  server.on('connection', (socket: Socket) => {
    const address = socket.remoteAddress ?? '';
    const network = networkOf(address);
    const others = perNetwork.get(network) ?? 0;
    if (others >= bounds.perNetwork && !isTrusted(address)) {
      socket.destroy();
      if (performance.now() < nextWarning) return;
      nextWarning = performance.now() + warningEveryMilliseconds;
      logger.warn(`connections are refused: ${network} has ${bounds.perNetwork} open; a proxy belongs in TRUSTED_PROXIES`);
      return;
    }
    open.add(socket);
    perNetwork.set(network, others + 1);
    socket.once('close', () => {
      open.delete(socket);
      const left = (perNetwork.get(network) ?? 1) - 1;
      if (left === 0) perNetwork.delete(network);
      else perNetwork.set(network, left);
    });
  });
  return open;
}
