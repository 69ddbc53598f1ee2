import { once } from 'node:events';
import http, { type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import https from 'node:https';
import type { LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';
import type { Clock } from '../common/clock.js';
import { Circuit, type CircuitRules, pauseAskedFor } from './circuit.js';
import { destinationOf, EgressRefused, type Destination, type Reach } from './destination.js';

/** How long and how large an answer may be. */
export interface EgressBounds {
  /** For all of it, from the look-up of the name to the last byte. */
  readonly milliseconds: number;
  readonly bytes: number;
}

/** Something to ask. */
export interface EgressOptions extends EgressBounds {
  readonly headers?: Readonly<Record<string, string>>;
  /** Of a caller who may give up earlier. */
  readonly signal?: AbortSignal;
}

export interface EgressRequest extends EgressOptions {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: string;
  readonly body?: string | Uint8Array;
}

export interface EgressAnswer {
  /** 3xx is an answer like any other: nothing is followed (ASVS v5.0.0-15.3.2). */
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export type Resolve = (name: string) => Promise<readonly LookupAddress[]>;

/** What a client of one purpose is made of. */
export interface EgressRules extends Reach {
  readonly ca: string | undefined;
  readonly keepAlive: boolean;
  /** `none`: it is asked each time. */
  readonly circuit: CircuitRules | 'none';
}

/** Asks the services of one purpose, and nobody else. */
export class EgressClient {
  private readonly circuits = new Map<string, Circuit>();
  private readonly agents: { readonly 'http:': http.Agent; readonly 'https:': https.Agent };

  constructor(
    private readonly rules: EgressRules,
    private readonly resolve: Resolve,
    private readonly clock: Clock,
  ) {
    // Agents of its own: none of Node's, which proxies and connections of others could reach.
    const options = { keepAlive: rules.keepAlive, maxSockets: rules.keepAlive ? 16 : Infinity, maxCachedSessions: 0 };
    // rejectUnauthorized said aloud: otherwise NODE_TLS_REJECT_UNAUTHORIZED could switch it off.
    const tls = { ca: rules.ca, rejectUnauthorized: true, minVersion: 'TLSv1.2' } as const;
    this.agents = { 'http:': new http.Agent(options), 'https:': new https.Agent({ ...options, ...tls }) };
  }

  /** Origins that are not asked for a while. */
  get openCircuits(): number {
    return [...this.circuits.values()].filter(({ isOpen }) => isOpen).length;
  }

  /** For URLs that are kept to be asked later. @throws EgressRefused */
  check(url: string): void {
    destinationOf(url, this.rules);
  }

  get(url: string, options: EgressOptions): Promise<EgressAnswer> {
    return this.send({ ...options, method: 'GET', url });
  }

  post(url: string, body: string | Uint8Array, options: EgressOptions): Promise<EgressAnswer> {
    return this.send({ ...options, method: 'POST', url, body });
  }

  /**
   * @throws EgressRefused; EgressUnavailable while the circuit is open; or an Error of the network, of TLS, of time or
   * of size. None of them is for the caller of the API.
   */
  async send(request: EgressRequest): Promise<EgressAnswer> {
    const destination = destinationOf(request.url, this.rules);
    const circuit = this.circuitOf(destination.url.origin);
    circuit?.enter();
    try {
      const answer = await this.exchange(destination, request);
      if (circuit !== undefined) this.judge(circuit, answer);
      return answer;
    } catch (error) {
      const saysNothing = error instanceof EgressRefused || request.signal?.aborted === true;
      if (saysNothing) circuit?.left();
      else circuit?.failed();
      throw error;
    }
  }

  private judge(circuit: Circuit, { status, headers }: EgressAnswer): void {
    const asksForPause = status === 429 || status === 503;
    if (!asksForPause && status < 500) circuit.succeeded();
    else circuit.failed(asksForPause ? pauseAskedFor(headers['retry-after'], this.clock.now()) : undefined);
  }

  private async exchange(destination: Destination, request: EgressRequest): Promise<EgressAnswer> {
    const { url } = destination;
    const timeout = AbortSignal.timeout(request.milliseconds);
    const protocol = url.protocol === 'http:' ? 'http:' : 'https:';
    const outgoing = (protocol === 'http:' ? http : https).request(url, {
      method: request.method,
      agent: this.agents[protocol],
      lookup: this.checkedLookup(destination),
      signal: request.signal === undefined ? timeout : AbortSignal.any([timeout, request.signal]),
      headers: { ...request.headers, 'accept-encoding': 'identity' },
    });
    // `once` listens until the response is there; an error after it arrives at the reader of the response.
    outgoing.on('error', () => undefined).end(request.body);
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
    return {
      status: response.statusCode ?? 0,
      headers: response.headers,
      body: await readBounded(response, request.bytes),
    };
  }

  private circuitOf(origin: string): Circuit | undefined {
    const { circuit: rules } = this.rules;
    if (rules === 'none') return undefined;
    const known = this.circuits.get(origin) ?? new Circuit(this.clock, rules);
    this.circuits.set(origin, known);
    return known;
  }

  /**
   * The address that was checked is the one that is connected to, so a name cannot be bound anew in between. One
   * address among them that is not allowed, and the name is refused: whoever mixes them is up to something.
   */
  private checkedLookup({ allows }: Destination): LookupFunction {
    return (name, options, answer) => {
      this.resolve(name).then(
        (addresses) => {
          const [first] = addresses;
          if (first === undefined || !addresses.every(({ address }) => allows(address)))
            return answer(new EgressRefused(), '', 0);
          return options.all === true ? answer(null, [...addresses]) : answer(null, first.address, first.family);
        },
        (error: Error) => answer(error, '', 0),
      );
    };
  }
}

async function readBounded(response: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  // Leaving the loop destroys the connection.
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) throw new RangeError('the answer is too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
