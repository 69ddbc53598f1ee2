import type { Server, Socket } from 'node:net';
import { Logger } from '@nestjs/common';
import { createAddressCheck } from '../../common/http/client-address.js';
import { neighbourhoodOf, networkOf } from '../../common/http/network.js';

/**
 * A TLS connection takes tens of KiB, so these bound the memory too. Nobody has more than half of what is free at that
 * moment: a few addresses, each within its own bound, would else have everything, and some places are left for whoever
 * comes then.
 */
export const connectionBounds = { total: 4_096, perNeighbourhood: 1_024, perNetwork: 512, alwaysFree: 4 };
const warningEveryMs = 60_000;

/**
 * Bounds the connections that are open at a time: per network, per neighbourhood (IPv4 /24, IPv6 /56), and in total
 * (ASVS v5.0.0-15.2.2).
 * Trusted proxies speak for many clients, so only the total counts for them.
 * @returns the open sockets, below TLS: also those that have not said a word.
 */
export function boundConnections(
  server: Server,
  trustedProxies: readonly string[] = [],
  bounds = connectionBounds,
): ReadonlySet<Socket> {
  const warn = rarely((message) => new Logger('Transport').warn(message));
  const open = new OpenConnections(bounds);
  const isTrusted = createAddressCheck(trustedProxies);
  server.maxConnections = bounds.total;
  server.on('connection', (socket: Socket) => {
    const address = socket.remoteAddress ?? '';
    if (!open.isOver(address) || isTrusted(address)) return open.add(socket, address);
    socket.destroy();
    const neighbourhood = neighbourhoodOf(address);
    const count = open.neighbourhoods.of(neighbourhood);
    warn(`connections are refused: ${neighbourhood} has ${count} open; a proxy belongs in TRUSTED_PROXIES`);
  });
  return open.sockets;
}

class OpenConnections {
  readonly sockets = new Set<Socket>();
  readonly neighbourhoods = new Counts();
  private readonly networks = new Counts();

  constructor(private readonly bounds: typeof connectionBounds) {}

  isOver(address: string): boolean {
    const { bounds } = this;
    const share = Math.max(bounds.alwaysFree, (bounds.total - this.sockets.size) / 2);
    return (
      this.networks.of(networkOf(address)) >= bounds.perNetwork ||
      this.neighbourhoods.of(neighbourhoodOf(address)) >= Math.min(bounds.perNeighbourhood, share)
    );
  }

  add(socket: Socket, address: string): void {
    const count = (by: 1 | -1): void => {
      this.networks.add(networkOf(address), by);
      this.neighbourhoods.add(neighbourhoodOf(address), by);
    };
    this.sockets.add(socket);
    count(1);
    socket.once('close', () => {
      this.sockets.delete(socket);
      count(-1);
    });
  }
}

/** A flood must not flood the log. */
function rarely(warn: (message: string) => void): (message: string) => void {
  let next = 0;
  return (message) => {
    if (performance.now() < next) return;
    next = performance.now() + warningEveryMs;
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
