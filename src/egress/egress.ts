import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { lookup as resolveName, type LookupAddress } from 'node:dns';
import { Agent, request as httpsRequest } from 'node:https';
import type { IncomingMessage } from 'node:http';
import type { LookupFunction } from 'node:net';
import { Inject, Injectable, Optional } from '@nestjs/common';
import { CONFIG, ConfigurationError, type Config } from '../config/index.js';
import { destinationOf, EgressRefused, type Destination } from './destination.js';

/** Something to ask, and how long and how large the answer may be. */
export interface EgressOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** For all of it, from the look-up of the name to the last byte. */
  readonly milliseconds: number;
  readonly bytes: number;
}

export interface EgressAnswer {
  /** 3xx is an answer like any other: nothing is followed (ASVS v5.0.0-15.3.2). */
  readonly status: number;
  readonly text: string;
}

type Resolve = (name: string) => Promise<readonly LookupAddress[]>;

/** How names are resolved; tests give another one. */
export const RESOLVER = Symbol('resolver');

const systemResolver: Resolve = (name) =>
  new Promise((resolve, reject) => {
    resolveName(name, { all: true }, (error, addresses) => (error === null ? resolve(addresses) : reject(error)));
  });

/** How features ask other services by HTTP; key services have clients of their own, with one fixed address of the configuration. The address that was checked is the one that is connected to, so a name cannot be bound anew in between. */
@Injectable()
export class Egress {
  private readonly ca: string | undefined;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Optional() @Inject(RESOLVER) private readonly resolve: Resolve = systemResolver,
  ) {
    this.ca = readCa(config.egressCaFile);
  }

  /** For URLs that are kept to be asked later. @throws EgressRefused */
  check(url: string): void {
    destinationOf(url, this.config.egressAllowPrivateHosts);
  }

  /** @throws EgressRefused; or an Error of the network, of TLS, of time or of size. None of them is for the caller of the API. */
  async get(url: string, { headers, milliseconds, bytes }: EgressOptions): Promise<EgressAnswer> {
    const destination = destinationOf(url, this.config.egressAllowPrivateHosts);
    const request = httpsRequest(destination.url, {
      // An agent per request: none of Node's own, which proxies and pooled connections could reach; rejectUnauthorized said aloud.
      agent: new Agent({ keepAlive: false, maxCachedSessions: 0 }),
      ca: this.ca,
      rejectUnauthorized: true,
      minVersion: 'TLSv1.2',
      lookup: this.checkedLookup(destination),
      signal: AbortSignal.timeout(milliseconds),
      headers: { ...headers, 'accept-encoding': 'identity' },
    });
    // `once` listens until the response is there; an error after it arrives at the reader of the response.
    request.on('error', () => undefined).end();
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    return { status: response.statusCode ?? 0, text: await readBounded(response, bytes) };
  }

  /** One address among them that is not allowed, and the name is refused: whoever mixes them is up to something. */
  private checkedLookup({ allows }: Destination): LookupFunction {
    return (name, options, answer) => {
      this.resolve(name).then(
        (addresses) => {
          const [first] = addresses;
          if (first === undefined || !addresses.every(({ address }) => allows(address))) return answer(new EgressRefused(), '', 0);
          return options.all === true ? answer(null, [...addresses]) : answer(null, first.address, first.family);
        },
        (error: Error) => answer(error, '', 0),
      );
    };
  }
}

async function readBounded(response: IncomingMessage, most: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  // Leaving the loop destroys the connection.
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > most) throw new RangeError('the answer is too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function readCa(file: string | undefined): string | undefined {
  if (file === undefined) return undefined;
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new ConfigurationError([`EGRESS_CA_FILE: the file cannot be read (${(error as NodeJS.ErrnoException).code}); check its path and its owner`]);
  }
}
