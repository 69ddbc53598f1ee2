import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { pathOf } from '../../common/access/access-line.js';
import { HealthChecks } from '../../common/health-checks.js';
import { InternalPages, type InternalPage } from '../../common/http/internal-pages.js';
import { isLoopback } from '../../common/http/network.js';
import { Problem } from '../../common/http/problem.js';
import { RequestCounter } from '../../common/http/request-counter.js';
import { CONFIG, type Config } from '../../config/index.js';
import { Drain } from './drain.js';
import { listenFault } from './listener-options.js';
import { close, createPlainServer, listen, type Answer } from './plain-server.js';

const pagePolicy = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** Health and development pages on an address that the public cannot reach (ASVS v5.0.0-13.4.5; practice 9.4). */
@Injectable()
export class InternalListener implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly server;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly pages: InternalPages,
    private readonly health: HealthChecks,
    private readonly drain: Drain,
    counter: RequestCounter,
  ) {
    this.server = createPlainServer({
      // No proxy stands in front of it: nobody says who the client is.
      addressOf: ({ socket }) => socket.remoteAddress ?? 'unknown',
      count: (address) => counter.count({ address, listener: 'internal' }),
      answered: (answered) => counter.answered({ ...answered, listener: 'internal' }),
      answer: (request) => this.answer(request),
    });
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  async onApplicationBootstrap(): Promise<void> {
    this.pages.add('/health/live', () => json(200, { status: 'up' }));
    this.pages.add('/health/ready', () => this.readiness());
    await listen(this.server, this.config.internalPort, this.config.internalHost).catch((error: unknown) => {
      throw listenFault(error, { host: 'INTERNAL_HOST', port: 'INTERNAL_PORT' });
    });
  }

  onApplicationShutdown(): Promise<void> {
    return close(this.server);
  }

  private async answer(request: IncomingMessage): Promise<Answer> {
    if (!this.isAddressed(request)) throw new Problem('misdirected-request');
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      throw new Problem('method-not-allowed', undefined, { headers: { allow: 'GET, HEAD' } });
    }
    const path = pathOf(request.url ?? '/');
    const page = path === '/' ? this.index() : await this.pages.find(path)?.(path);
    if (page === undefined) throw new Problem('not-found');
    const headers = { 'content-type': page.contentType, 'content-security-policy': page.policy ?? pagePolicy };
    return { status: page.status, headers, body: page.body };
  }

  /**
   * A web page can point its own name at 127.0.0.1 and then read what is there (DNS rebinding). It cannot make the
   * browser send another Host, so only addresses are answered, never unknown names.
   */
  private isAddressed(request: IncomingMessage): boolean {
    const host = (request.headers.host ?? '')
      .toLowerCase()
      .replace(/\.?(?::\d+)?$/, '')
      .replace(/^\[|\]$/g, '');
    const own = request.socket.localAddress?.replace(/^::ffff:/, '');
    return host !== '' && (isLoopback(host) || host === own || host === this.config.internalHost.toLowerCase());
  }

  private async readiness(): Promise<InternalPage> {
    const { status, checks } = await this.health.run();
    const ready = !this.drain.draining && status !== 'down';
    return json(ready ? 200 : 503, { status: ready ? status : 'down', checks });
  }

  private index(): InternalPage {
    const items = this.pages.paths().map((path) => `<li><a href="${path}">${path}</a></li>`);
    const body = `<!doctype html><html lang="en"><title>Internal pages</title><ul>${items.join('')}</ul></html>`;
    return { status: 200, contentType: 'text/html; charset=utf-8', body };
  }
}

const json = (status: number, body: unknown): InternalPage => ({
  status,
  contentType: 'application/json; charset=utf-8',
  body: JSON.stringify(body),
});
