import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Authority } from '../support/tls-servers.js';

interface SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  body: string;
}

/** An HTTPS server of a test on 127.0.0.1, for the name `localhost` and for `names`. */
export class TlsServer {
  readonly requests: SeenRequest[] = [];
  answer: (response: ServerResponse, url: string) => void = (response) => response.end('ok');

  private constructor(private readonly server: Server) {
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      const { url = '', method = '', headers } = request;
      const seen = { method, url, headers, body: '' };
      this.requests.push(seen);
      if (method === 'GET') return this.answer(response, url);
      request.on('data', (chunk: Buffer) => (seen.body += chunk.toString()));
      return request.on('end', () => this.answer(response, url));
    });
    // Clients that break off are part of the tests.
    server.on('clientError', (_, socket) => socket.destroy());
  }

  static async start(authority: Authority, names: readonly string[] = ['localhost']): Promise<TlsServer> {
    const { cert, key } = await authority.issue('egress', [
      ...names.map((value) => ({ type: 'dns', value }) as const),
      { type: 'ip', value: '127.0.0.1' },
    ]);
    const server = createServer({ cert: readFileSync(cert), key: readFileSync(key) });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new TlsServer(server);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
