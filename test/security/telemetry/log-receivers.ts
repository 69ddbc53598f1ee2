import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { isDeepStrictEqual } from 'node:util';
import type { CertificateFiles } from '../../support/tls-servers.js';

/** A line of the log as a receiver got it, and the time it was filed under, in ms, where the protocol has one. */
export interface Received {
  readonly line: string;
  readonly time?: number;
}
interface Taken {
  readonly received: readonly Received[];
  readonly status: number;
  readonly answer?: unknown;
}
/** What the documentation of one system asks of a request, and how it answers. */
interface Protocol {
  readonly path: string;
  readonly contentType: string;
  readonly header: string;
  readonly credential: (secret: string) => string;
  readonly wrongCredential: number;
  /** @param ids those of the documents that are kept already. @throws where the system answers 400. */
  readonly take: (body: string, ids: Set<string>) => Taken;
  /** The environment of the recipe. */
  readonly env: (url: string, secret: string) => Record<string, string>;
}

function assert(holds: boolean, fault: string): asserts holds {
  if (!holds) throw new Error(fault);
}
type Fields = Record<string, unknown>;
const objectOf = (value: unknown): Fields => {
  assert(typeof value === 'object' && value !== null && !Array.isArray(value), 'not an object');
  return value as Fields;
};
const textsOf = (value: unknown, ...names: string[]): Record<string, string> => {
  const fields = objectOf(value);
  assert(
    Object.keys(fields).toSorted().join() === names.toSorted().join(),
    `other fields: ${Object.keys(fields).join()}`,
  );
  for (const name of names) assert(typeof fields[name] === 'string', `${name} is no string`);
  return fields as Record<string, string>;
};
const basic = (secret: string): string => `Basic ${Buffer.from(`writer:${secret}`).toString('base64')}`;

/** https://www.elastic.co/docs/api: pairs of an action and a document, and an item of the answer for each. */
function takeBulk(body: string, ids: Set<string>): Taken {
  assert(body.endsWith('\n'), 'The bulk request must be terminated by a newline');
  const lines = body.slice(0, -1).split('\n');
  assert(lines.length % 2 === 0, 'an action without a document');
  const received: Received[] = [];
  const items: { create: Fields & { status: number } }[] = [];
  for (let at = 0; at < lines.length; at += 2) {
    const action = objectOf(JSON.parse(lines[at] ?? ''));
    const { _id: id = '' } = textsOf(action['create'], '_id');
    const line = lines[at + 1] ?? '';
    const isNew = !ids.has(id) && isDocument(line);
    if (isNew) received.push({ line });
    items.push({ create: { _index: 'logs-api-default', _id: id, status: isNew ? 201 : ids.has(id) ? 409 : 400 } });
    ids.add(id);
  }
  return { received, status: 200, answer: { took: 1, errors: items.some(({ create }) => create.status > 201), items } };
}
function isDocument(line: string): boolean {
  try {
    return !Number.isNaN(Date.parse(String(objectOf(JSON.parse(line))['@timestamp'])));
  } catch {
    return false;
  }
}

/** https://docs.datadoghq.com/api/latest/logs/: an array of at most 1000 entries, whose `message` is the log. */
function takeEntries(body: string): Taken {
  const entries: unknown = JSON.parse(body);
  assert(Array.isArray(entries) && entries.length <= 1000, 'no array of at most 1000');
  const received = entries.map((entry) => ({
    line: textsOf(entry, 'ddsource', 'hostname', 'message', 'service', 'status')['message'] ?? '',
  }));
  return { received, status: 202, answer: {} };
}

/** https://docs.splunk.com, "Format events for HTTP Event Collector": objects one after the other. */
function takeEvents(body: string): Taken {
  const received = body.split('\n').map((text) => {
    const { event, time, ...others } = objectOf(JSON.parse(text));
    textsOf(others, 'host', 'source', 'sourcetype');
    assert(typeof time === 'number', 'time is no number');
    const line = text.slice(text.indexOf('"event":') + '"event":'.length, -1);
    assert(isDeepStrictEqual(JSON.parse(line), objectOf(event)), 'event is not the last member');
    return { line, time: Math.round(time * 1000) };
  });
  return { received, status: 200, answer: { text: 'Success', code: 0 } };
}

/** https://grafana.com/docs/loki/latest/reference/loki-http-api/: lines by stream, with their nanoseconds as text. */
function takeStreams(body: string): Taken {
  const { streams } = objectOf(JSON.parse(body));
  assert(Array.isArray(streams), 'no streams');
  const received = streams.flatMap((one) => {
    const { stream, values } = objectOf(one);
    const { level = '' } = textsOf(stream, 'service', 'level');
    assert(/^[a-z]+$/.test(level) && Array.isArray(values), 'labels or values');
    return values.map((value: unknown) => {
      const [time, line] = value as unknown[];
      assert(typeof time === 'string' && /^\d{19}$/.test(time) && typeof line === 'string', 'no pair of texts');
      return { line, time: Number(BigInt(time) / 1_000_000n) };
    });
  });
  return { received, status: 204 };
}

export const protocols = {
  elasticsearch: {
    path: '/logs-api-default/_bulk',
    contentType: 'application/x-ndjson',
    header: 'authorization',
    credential: basic,
    wrongCredential: 401,
    take: takeBulk,
    env: (url, secret) => ({
      ELASTICSEARCH_URL: url,
      ELASTICSEARCH_USER: 'writer',
      ELASTICSEARCH_PASSWORD: secret,
    }),
  },
  datadog: {
    path: '/api/v2/logs',
    contentType: 'application/json',
    header: 'dd-api-key',
    credential: (secret) => secret,
    wrongCredential: 403,
    take: takeEntries,
    env: (url, secret) => ({ DATADOG_URL: url, DATADOG_API_KEY: secret }),
  },
  splunk: {
    path: '/services/collector/event',
    contentType: 'application/json',
    header: 'authorization',
    credential: (secret) => `Splunk ${secret}`,
    wrongCredential: 403,
    take: takeEvents,
    env: (url, secret) => ({ SPLUNK_HEC_URL: url, SPLUNK_HEC_TOKEN: secret }),
  },
  loki: {
    path: '/loki/api/v1/push',
    contentType: 'application/json',
    header: 'authorization',
    credential: basic,
    wrongCredential: 401,
    take: takeStreams,
    env: (url, secret) => ({ LOKI_URL: url, LOKI_USER: 'writer', LOKI_PASSWORD: secret }),
  },
} satisfies Record<string, Protocol>;
export type Destination = keyof typeof protocols;
export const destinations = Object.keys(protocols) as Destination[];

/** One of those systems over TLS. */
export class LogReceiver {
  readonly received: Received[] = [];
  /** Every answer but that of success, and why. */
  readonly refusals: string[] = [];
  /** What came beside the credential: URL, other headers, body. */
  readonly seen: string[] = [];
  /** A number is the status of every answer; `forgets` keeps what comes, and breaks off instead of an answer. */
  mode: 'takes' | 'forgets' | number = 'takes';
  port = 0;
  private readonly ids = new Set<string>();
  private server: Server | undefined;
  private readonly protocol: Protocol;

  constructor(
    destination: Destination,
    public secret: string,
  ) {
    this.protocol = protocols[destination];
  }

  /** Again on the same port. */
  async start({ cert, key }: CertificateFiles): Promise<void> {
    const server = createServer({ cert: readFileSync(cert), key: readFileSync(key) }, (request, response) => {
      void this.answer(request, response);
    });
    this.server = server;
    await new Promise<void>((done) => server.listen(this.port, '127.0.0.1', done));
    this.port = (server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    const { server } = this;
    this.server = undefined;
    if (server === undefined) return;
    await new Promise((done) => {
      server.close(done);
      server.closeAllConnections();
    });
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = Buffer.concat(await request.toArray()).toString();
    const { [this.protocol.header]: credential, ...others } = request.headers;
    this.seen.push(`${request.url} ${JSON.stringify(others)} ${body}`);
    const { status, answer } = this.judge(request, String(credential), body);
    if (this.mode === 'forgets') return void request.socket.destroy();
    response.writeHead(status, { 'content-type': 'application/json' }).end(answer && JSON.stringify(answer));
  }

  private judge({ method, url, headers }: IncomingMessage, credential: string, body: string): Omit<Taken, 'received'> {
    const { path, contentType, wrongCredential, take, ...protocol } = this.protocol;
    if (typeof this.mode === 'number') return this.refuse(this.mode, 'by the test');
    if (credential !== protocol.credential(this.secret)) return this.refuse(wrongCredential, 'credential');
    if (method !== 'POST' || url !== path) return this.refuse(404, `${method} ${url}`);
    if (headers['content-type'] !== contentType) return this.refuse(415, String(headers['content-type']));
    if (body.length > 5_000_000) return this.refuse(413, `${body.length} characters`);
    try {
      const taken = take(body, this.ids);
      this.received.push(...taken.received);
      return taken;
    } catch (error) {
      return this.refuse(400, String(error));
    }
  }

  private refuse(status: number, why: string): { status: number; answer: unknown } {
    this.refusals.push(`${status} ${why}`);
    return { status, answer: { error: why } };
  }
}
