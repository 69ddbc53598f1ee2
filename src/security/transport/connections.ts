import type { Server, Socket } from 'node:net';
import { Logger } from '@nestjs/common';
import { createAddressCheck } from '../../common/client-address.js';
import { neighbourhoodOf, networkOf } from '../../common/network.js';

/**
 * A TLS connection takes tens of KiB, so these bound the memory too. Nobody has more than half of what is free at that moment: a few
 * addresses, each within its own bound, would else have everything, and some places are left for whoever comes then.
 */
export const connectionBounds = { total: 4_096, perNeighbourhood: 1_024, perNetwork: 512, alwaysFree: 4 };
const warningEveryMilliseconds = 60_000;

/**
 * Bounds the connections that are open at a time: per network, per neighbourhood (IPv4 /24, IPv6 /56), and in total (ASVS v5.0.0-15.2.2).
 * Trusted proxies speak for many clients, so only the total counts for them.
 * @returns the open sockets, below TLS: also those that have not said a word.
 */
export function boundConnections(server: Server, trustedProxies: readonly string[] = [], bounds = connectionBounds): ReadonlySet<Socket> {
  const warn = rarely((message) => new Logger('Transport').warn(message));
  const open = new Set<Socket>();
  const networks = new Counts();
  const neighbourhoods = new Counts();
  const isTrusted = createAddressCheck(trustedProxies);
  server.maxConnections = bounds.total;
  server.on('connection', (socket: Socket) => {
    const address = socket.remoteAddress ?? '';
    const [network, neighbourhood] = [networkOf(address), neighbourhoodOf(address)];
    const share = Math.max(bounds.alwaysFree, (bounds.total - open.size) / 2);
    const isOver = networks.of(network) >= bounds.perNetwork || neighbourhoods.of(neighbourhood) >= Math.min(bounds.perNeighbourhood, share);
    if (isOver && !isTrusted(address)) {
      socket.destroy();
      warn(`connections are refused: ${neighbourhood} has ${neighbourhoods.of(neighbourhood)} open; a proxy belongs in TRUSTED_PROXIES`);
      return;
    }
    open.add(socket);
    networks.add(network, 1);
    neighbourhoods.add(neighbourhood, 1);
    socket.once('close', () => {
      open.delete(socket);
      networks.add(network, -1);
      neighbourhoods.add(neighbourhood, -1);
    });
  });
  return open;
}

/** A flood must not flood the log. */
function rarely(warn: (message: string) => void): (message: string) => void {
  let next = 0;
  return (message) => {
    if (performance.now() < next) return;
    next = performance.now() + warningEveryMilliseconds;
    warn(message);
  };
}

/** How many each has; of whom has none, nothing is remembered. */
class Counts {
  private readonly counts = new Map<string, number>();

  of(name: string): number {
    return this.counts.get(name) ?? 0;
  }

  add(name: string, change: 1 | -1): void {
    const count = this.of(name) + change;
    if (count === 0) this.counts.delete(name);
    else this.counts.set(name, count);
  }
}
