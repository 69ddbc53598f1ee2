import { ServerResponse, type IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { requestContext } from '../../common/http/request-context.js';

/** What oidc-provider answered. */
export interface InnerAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

type Listener = (request: IncomingMessage, response: ServerResponse) => Promise<void> | void;

export interface InnerRequest {
  /** As the public URL has it: `Host` and forwarded headers of the client decide nothing. */
  readonly host: string;
  /** Below the mount. */
  readonly path: string;
  readonly mount: string;
  readonly form: Readonly<Record<string, string>>;
}

/** The header fields that the provider may see of the client's. */
const passed = ['authorization', 'dpop'] as const;

/**
 * Hands a request that has come through the guards and pipes to a Koa application, and takes its answer back, so that
 * it leaves through the interceptors: no byte is read from, or written to, the client past them.
 */
export async function callInProcess(
  listener: Listener,
  { host, path, mount, form }: InnerRequest,
): Promise<InnerAnswer> {
  const body = Buffer.from(new URLSearchParams(form).toString());
  const sent = requestContext()?.headers ?? {};
  const request = Object.assign(Readable.from([body]), {
    method: 'POST',
    url: path,
    originalUrl: `${mount}${path}`,
    httpVersionMajor: 1,
    httpVersion: '1.1',
    socket: { encrypted: true },
    headers: {
      host,
      'accept': 'application/json',
      'content-type': 'application/x-www-form-urlencoded',
      'content-length': String(body.length),
      ...Object.fromEntries(passed.flatMap((name) => (sent[name] === undefined ? [] : [[name, sent[name]]]))),
    },
  }) as unknown as IncomingMessage;
  const response = new CapturedResponse(request);
  await listener(request, response);
  return { status: response.statusCode, body: parse(response.payload) };
}

/** Has no socket: what is written stays here. */
class CapturedResponse extends ServerResponse {
  payload = '';

  override end(chunk?: unknown): this {
    this.payload = typeof chunk === 'string' || Buffer.isBuffer(chunk) ? chunk.toString() : '';
    return this;
  }
}

const parse = (text: string): Record<string, unknown> =>
  text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
