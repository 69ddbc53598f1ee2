import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** A TCP relay in front of a server that a test may not stop: cut, the server is gone; restored, it is back. */
export class Relay {
  private readonly sockets = new Set<Socket>();
  private readonly server: Server;
  private gone = false;
  private silent = false;

  private constructor(target: { host: string; port: number }) {
    this.server = createServer((socket) => {
      if (this.gone) {
        socket.destroy();
        return;
      }
      if (this.silent) {
        this.sockets.add(
          socket
            .on('error', () => undefined)
            .on('close', () => this.sockets.delete(socket))
            .pause(),
        );
        return;
      }
      const upstream = connect(target);
      for (const [one, other] of [
        [socket, upstream],
        [upstream, socket],
      ] as const) {
        this.sockets.add(one);
        one.on('error', () => other.destroy());
        one.on('close', () => {
          this.sockets.delete(one);
          other.destroy();
        });
        one.pipe(other);
      }
    });
  }

  /** @returns the relay and the URL that leads through it. */
  static async to(url: string): Promise<{ relay: Relay; url: string }> {
    const target = new URL(url);
    const defaultPort = target.protocol.startsWith('redis') ? 6379 : 5432;
    const relay = new Relay({ host: target.hostname, port: Number(target.port || defaultPort) });
    await new Promise<void>((resolve) => relay.server.listen(0, '127.0.0.1', resolve));
    target.hostname = '127.0.0.1';
    target.port = String((relay.server.address() as AddressInfo).port);
    return { relay, url: target.href };
  }

  cut(): void {
    this.gone = true;
    for (const socket of this.sockets) socket.destroy();
  }

  /**
   * Nothing is closed and nothing arrives any more, in either direction: a firewall that forgot, a machine that lost
   * its power.
   */
  silence(): void {
    this.silent = true;
    for (const socket of this.sockets) socket.unpipe().pause();
  }

  /** New connections get through; those from before stay as they are. */
  restore(): void {
    this.gone = false;
    this.silent = false;
  }

  close(): void {
    this.cut();
    this.server.close();
  }
}
