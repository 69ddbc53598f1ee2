import { request as httpsRequest, type Agent, type RequestOptions } from 'node:https';
import { createSecureContext, type ConnectionOptions, type SecureContext } from 'node:tls';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Parsed when it is JSON, otherwise the text. */
  // eslint-disable-next-line typescript/no-explicit-any -- tests look into answers of every form
  readonly body: any;
  readonly text: string;
}

export interface RequestParts {
  readonly body?: unknown;
  /** Sent as it is, instead of `body`. */
  readonly raw?: string | Buffer;
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  /** The loopback address to come from. Not set: another one for each request, so that no limit is met by accident. */
  readonly from?: string;
  readonly signal?: AbortSignal;
  /** PEM: what the client shows at the handshake. */
  readonly certificate?: { readonly cert: string; readonly key: string };
  /** Not set: a connection for each request. */
  readonly agent?: Agent;
}

let last = 0;

/** Another address of 127.0.0.0/8 each time: to the service, another client. */
export function anotherAddress(): string {
  last += 1;
  return `127.${1 + (process.pid % 250)}.${1 + (Math.floor(last / 250) % 250)}.${1 + (last % 250)}`;
}

const contexts = new Map<string, SecureContext>();

/** To read the certificate again for each request would take as long as the handshake. */
function trusting(ca: string, { cert, key }: { cert?: string; key?: string } = {}): SecureContext {
  const name = `${ca}${cert ?? ''}`;
  const context = contexts.get(name) ?? createSecureContext({ ca, cert, key });
  contexts.set(name, context);
  return context;
}

/** One real HTTPS request that trusts the given CA and nothing else. The path goes out exactly as written. */
export function send(
  origin: { port: number; ca: string },
  method: string,
  path: string,
  parts: RequestParts = {},
): Promise<Answer> {
  const payload = parts.raw ?? (parts.body === undefined ? undefined : JSON.stringify(parts.body));
  const options: RequestOptions & ConnectionOptions = {
    host: '127.0.0.1',
    servername: 'localhost',
    port: origin.port,
    secureContext: trusting(origin.ca, parts.certificate),
    method,
    path,
    agent: parts.agent ?? false,
    localAddress: parts.from ?? anotherAddress(),
    signal: parts.signal,
    headers: {
      host: `localhost:${origin.port}`,
      ...(parts.token === undefined ? {} : { authorization: `Bearer ${parts.token}` }),
      ...(payload === undefined
        ? {}
        : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) }),
      ...parts.headers,
    },
  };
  return new Promise((resolve, reject) => {
    const request = httpsRequest(options, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        const isJson = /[/+]json\b/.test(response.headers['content-type'] ?? '');
        const headers = Object.fromEntries(
          Object.entries(response.headers).map(([name, value]) => [name, [value].flat().join(', ')]),
        );
        resolve({
          status: response.statusCode ?? 0,
          headers,
          body: isJson && text !== '' ? JSON.parse(text) : text,
          text,
        });
      });
    });
    request.on('error', reject);
    request.end(payload);
  });
}

/** An id of the right form that was never issued. */
export const neverIssued = '01890000-0000-7000-8000-000000000000';
