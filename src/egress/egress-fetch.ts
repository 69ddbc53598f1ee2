import type { EgressBounds, EgressClient, EgressRequest } from './egress-client.js';

/** What libraries give to a `fetch` of theirs. Streams are not among it. */
interface FetchInit {
  readonly method?: string;
  readonly headers?: ConstructorParameters<typeof Headers>[0];
  readonly body?: unknown;
  readonly signal?: AbortSignal | null;
}

const withoutBody = new Set([101, 204, 205, 304]);

/** The client in the shape of `fetch`, for libraries that know no other. Redirects are answers, never followed. */
export const fetchThrough =
  (client: EgressClient, bounds: EgressBounds) =>
  async (url: string, init: FetchInit = {}): Promise<Response> => {
    const { status, headers, body } = await client.send({
      ...bounds,
      url,
      method: (init.method ?? 'GET') as EgressRequest['method'],
      headers: Object.fromEntries(new Headers(init.headers)),
      body: bodyOf(init.body),
      ...(init.signal ? { signal: init.signal } : {}),
    });
    const pairs = Object.entries(headers).flatMap(([name, value]) =>
      [value ?? []].flat().map((each): [string, string] => [name, each]),
    );
    return new Response(withoutBody.has(status) ? null : new Uint8Array(body), { status, headers: pairs });
  };

function bodyOf(body: unknown): string | Uint8Array | undefined {
  if (body === undefined || body === null) return undefined;
  if (typeof body === 'string' || body instanceof Uint8Array) return body;
  if (body instanceof URLSearchParams) return body.toString();
  throw new TypeError('a body that is no text cannot be sent');
}
