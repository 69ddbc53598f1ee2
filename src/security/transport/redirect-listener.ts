import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { ExposedCredentials } from '../../common/exposed-credentials.js';
import { Problem } from '../../common/problem.js';
import { SecurityEvents } from '../../common/security-events.js';
import { CONFIG, type Config } from '../../config/index.js';
import { NetworkBudget } from './network-budget.js';
import { listenFault } from './listen-fault.js';
import { close, createPlainServer, listen, type Answer } from './plain-server.js';

/** Header fields that carry what only its owner should have. */
const credentialFields = ['authorization', 'proxy-authorization', 'cookie', 'x-api-key', 'dpop'];
const credentialInQuery = /[?&](?:access_token|refresh_token|id_token|token|code|api_key|password)=([^&]*)/i;
const credentialInBody = /"(?:accessToken|refreshToken|token)"\s*:\s*"([^"\\]{16,4096})"/g;
const mostBodyBytes = 8 * 1024;
/** Each one costs whoever issued it a look. */
const mostCredentials = 10;
/** Requests with a credential that one network gets looked at in a minute. No guard and no limiter stands before this listener. */
const mostRequests = 10;

/**
 * Plain HTTP. A browser that opens a page is sent to HTTPS; an API client is refused, because a redirect would hide that
 * it talks in clear (ASVS v5.0.0-4.1.2). A credential that comes this way was readable on the wire, so it dies (practice 1.3).
 */
@Injectable()
export class RedirectListener implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly server = createPlainServer((request) => this.answer(request));
  private readonly budget = new NetworkBudget();

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly events: SecurityEvents,
    private readonly exposed: ExposedCredentials,
  ) {}

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

  private async answer(request: IncomingMessage): Promise<Answer> {
    const credentials = [...credentialsOf(request), ...(await credentialsInBody(request))].slice(0, mostCredentials);
    if (credentials.length > 0) throw this.expose(credentials, request.socket.remoteAddress ?? 'unknown');
    if (!isNavigation(request)) throw insecure('Use HTTPS.');
    // Never the Host that the client sent: that would make this an open redirect.
    const location = `${this.config.publicUrl}${request.url ?? '/'}`;
    return { status: 308, headers: { location, 'content-length': '0' }, body: '' };
  }

  /** Beyond the budget nothing is looked up or written: made-up credentials must not flood the audit trail. */
  private expose(credentials: readonly string[], address: string): Problem {
    const use = this.budget.use(address);
    if (use > mostRequests) {
      const details = { limit: 'credentials-in-clear' };
      if (use === mostRequests + 1) this.events.report({ action: 'excess_rate_limit_exceeded', outcome: 'denied', details });
      return insecure('The credential crossed the network in clear. Use HTTPS.');
    }
    for (const credential of credentials) this.exposed.report(credential);
    this.events.report({ action: 'authn_credential_in_clear', outcome: 'denied', details: { count: credentials.length } });
    return insecure('The credential crossed the network in clear and is revoked where it was ours. Use HTTPS.');
  }
}

/** Browsers send no Sec-Fetch fields over plain HTTP, so what counts is that the client asks for a page. */
function isNavigation(request: IncomingMessage): boolean {
  const { url = '', headers } = request;
  return isReading(request) && /^\/[\x21-\x7e]*$/.test(url) && (headers.accept ?? '').includes('text/html');
}

/** What was sent, without the scheme: each cookie's value, the token behind `Bearer`, a token in the query. */
function credentialsOf(request: IncomingMessage): string[] {
  const found: string[] = [];
  for (const name of credentialFields) {
    const value = request.headers[name];
    if (typeof value !== 'string') continue;
    if (name === 'cookie') found.push(...value.split(';').map((pair) => pair.slice(pair.indexOf('=') + 1).trim()));
    else found.push(value.slice(value.indexOf(' ') + 1).trim());
  }
  const inQuery = credentialInQuery.exec(request.url ?? '')?.[1];
  return inQuery === undefined ? found : [...found, inQuery];
}

/** A refresh token travels in a JSON body. The beginning is searched, and nothing of it is kept. */
async function credentialsInBody(request: IncomingMessage): Promise<string[]> {
  if (isReading(request)) return [];
  let text = '';
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    text += (chunk as Buffer).toString('latin1');
    if (text.length >= mostBodyBytes) break;
  }
  return [...text.matchAll(credentialInBody)].map(([, token = '']) => token);
}

const isReading = ({ method }: IncomingMessage): boolean => method === 'GET' || method === 'HEAD';

/** The connection ends with the answer; what is left of a body is not read. */
const insecure = (detail: string): Problem =>
  new Problem('insecure-transport', detail, { headers: { connection: 'close' } });
