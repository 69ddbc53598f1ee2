import { randomUUIDv7 } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { createClientAddress } from '../../common/http/client-address.js';
import { ExposedCredentials } from '../../common/access/exposed-credentials.js';
import { Problem } from '../../common/http/problem.js';
import { traceOf } from '../../common/http/trace-context.js';
import { runInRequestContext } from '../../common/http/request-context.js';
import { RequestCounter } from '../../common/http/request-counter.js';
import { SecurityEvents } from '../../common/events/security-events.js';
import { CONFIG, type Config } from '../../config/index.js';
import { NetworkBudget, readExposed, ReceivedBytes } from './exposed-bytes.js';
import { listenFault } from './listener-options.js';
import { close, createPlainServer, listen, type Answer } from './plain-server.js';

/** Requests with a credential that one network gets looked at in a minute: each may cost look-ups in the database. */
const maxRequests = 10;
/** What of one network is searched in a minute; searching a MiB takes a fraction of a second. */
const maxSearchedBytes = 1024 * 1024;

const notRevoked = 'Use HTTPS. What the request held was not revoked: revoke or change it.';

/**
 * Plain HTTP. A browser that opens a page is sent to HTTPS; an API client is refused, because a redirect would hide
 * that it talks in clear (ASVS v5.0.0-4.1.2). A credential that comes this way was readable on the wire, so it dies
 * (practice 1.3): whatever bytes have arrived are searched for one, also those that no parser could read and those of a
 * request that broke off.
 */
@Injectable()
export class RedirectListener implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly server;
  private readonly looks = new NetworkBudget();
  private readonly searched = new NetworkBudget();
  private readonly received = new WeakMap<Socket, ReceivedBytes>();
  private readonly addressOf;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly events: SecurityEvents,
    private readonly exposed: ExposedCredentials,
    counter: RequestCounter,
  ) {
    const { trustedProxies } = config;
    this.addressOf = createClientAddress(trustedProxies);
    this.server = createPlainServer({
      addressOf: this.addressOf,
      trustedProxies,
      count: (address) => counter.count({ address, listener: 'public' }),
      answered: (answered) => counter.answered({ ...answered, listener: 'http' }),
      answer: (request) => this.answer(request),
      denied: (problem, socket) => this.denied(problem, socket),
    });
    this.server.on('connection', (socket: Socket) => this.receive(socket));
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  onApplicationBootstrap(): Promise<void> {
    return listen(this.server, this.config.httpPort, this.config.host).catch((error: unknown) => {
      throw listenFault(error, { host: 'HOST', port: 'HTTP_PORT' });
    });
  }

  onApplicationShutdown(): Promise<void> {
    return close(this.server);
  }

  private receive(socket: Socket): void {
    const received = new ReceivedBytes(socket);
    this.received.set(socket, received);
    const address = socket.remoteAddress ?? 'unknown';
    // Whoever listens has read it, whether or not the client waited for the answer.
    const context = { requestId: randomUUIDv7(), trace: traceOf(undefined), address };
    socket.once(
      'close',
      () => void (received.hasUnread && runInRequestContext(context, () => this.search(received, address))),
    );
  }

  private async answer(request: IncomingMessage): Promise<Answer> {
    const received = this.received.get(request.socket);
    await received?.until(request);
    const warning = received && (await this.search(received, this.addressOf(request)));
    if (warning !== undefined) {
      // The path may be where it was, and the log keeps paths.
      request.url = '-';
      throw insecure(warning);
    }
    if (!isNavigation(request)) throw insecure('Use HTTPS.');
    // Never the Host that the client sent: that would make this an open redirect.
    const location = `${this.config.publicUrl}${request.url ?? '/'}`;
    return { status: 308, headers: { location, ...lastAnswer }, body: '' };
  }

  private async denied({ kind, detail, extras }: Problem, socket: Socket): Promise<Problem> {
    const received = this.received.get(socket);
    const warning = received && (await this.search(received, socket.remoteAddress ?? 'unknown'));
    return new Problem(kind, warning ?? detail, extras);
  }

  /** @returns what the client has to be told; undefined when there was no credential. */
  private async search(received: ReceivedBytes, address: string): Promise<string | undefined> {
    const bytes = received.read();
    // Beyond the budgets nothing is searched, looked up or written: made-up credentials must not flood database or
    // audit trail.
    if (this.searched.use(address, bytes.length) > maxSearchedBytes) return notRevoked;
    const { text, namesCredential } = readExposed(bytes);
    const count = this.exposed.countIn(text);
    if (count === 0 && !namesCredential) return received.isCut ? notRevoked : undefined;
    const look = this.looks.use(address);
    if (look === maxRequests + 1)
      this.events.reportLater({
        action: 'excess_rate_limit_exceeded',
        outcome: 'denied',
        details: { limit: 'credentials-in-clear' },
      });
    if (look > maxRequests) return notRevoked;
    this.events.reportLater({ action: 'authn_credential_in_clear', outcome: 'denied', details: { count } });
    const isDone = await this.exposed.revokeIn(text);
    return isDone && !received.isCut ? this.revoked() : notRevoked;
  }

  /**
   * The same whether or not something was genuine. It names what was revoked, because the rest lives on: passwords
   * above all.
   */
  private revoked(): string {
    const kinds = this.exposed.kinds;
    if (kinds.length === 0) return notRevoked;
    return (
      `Use HTTPS. If the request held one of these and it was ours, it is revoked: ${kinds.join(', ')}. ` +
      'Change whatever else it held, such as a password.'
    );
  }
}

/** Browsers send no Sec-Fetch fields over plain HTTP, so what counts is that the client asks for a page. */
function isNavigation({ method, url = '', headers }: IncomingMessage): boolean {
  return (
    (method === 'GET' || method === 'HEAD') &&
    /^\/[\x21-\x7e]*$/.test(url) &&
    (headers.accept ?? '').includes('text/html')
  );
}

/** A connection has one request: what comes behind it is in clear too, and gets no answer. */
const lastAnswer = { connection: 'close' };

const insecure = (detail: string): Problem => new Problem('insecure-transport', detail, { headers: lastAnswer });
