import { readFileSync } from 'node:fs';
import { lookup as resolveName } from 'node:dns';
import { Inject, Injectable, Optional } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { CONFIG, ConfigurationError, type Config } from '../config/index.js';
import { type CircuitRules, defaultCircuit } from './circuit.js';
import { EgressClient, type Resolve } from './egress-client.js';
import { egressSettings } from './egress.settings.js';

/** Whom a feature asks, declared by that feature (ASVS v5.0.0-13.1.1, 13.2.4). */
export interface EgressPurpose {
  /** Origins from the configuration. Nothing else is asked for this purpose. */
  readonly origins: readonly string[];
  /** The variable that named them, for the message when they cannot be asked. */
  readonly variable: string;
  /** An owner chose exactly this host of the own network: its addresses may be private, and its port any. */
  readonly mayBePrivate?: boolean;
  /** Instead of EGRESS_CA_FILE, where `variable` says so in its message. */
  readonly caFile?: { readonly path: string; readonly variable: string };
  /** Connections are kept for the next request. */
  readonly keepAlive?: boolean;
  readonly circuit?: CircuitRules | 'none';
}

/** How names are resolved; tests give another one. */
export const RESOLVER = Symbol('resolver');

const systemResolver: Resolve = (name) =>
  new Promise((resolve, reject) => {
    resolveName(name, { all: true }, (error, addresses) => (error === null ? resolve(addresses) : reject(error)));
  });

/** The only way out by HTTP. Whoever asks another service gets a client for that purpose here. */
@Injectable()
export class Egress {
  private readonly ca: string | undefined;
  private readonly allowedPrivateHosts: readonly string[];
  private readonly clients: { readonly variable: string; readonly client: EgressClient }[] = [];

  constructor(
    @Inject(CONFIG) config: Config,
    @Optional() @Inject(RESOLVER) private readonly resolve: Resolve = systemResolver,
    @Optional() private readonly clock: Clock = new Clock(),
  ) {
    const { EGRESS_CA_FILE, EGRESS_ALLOW_PRIVATE_HOSTS } = config.of(egressSettings);
    this.allowedPrivateHosts = EGRESS_ALLOW_PRIVATE_HOSTS;
    this.ca = EGRESS_CA_FILE && readCa(EGRESS_CA_FILE, 'EGRESS_CA_FILE');
  }

  /** @throws ConfigurationError when an origin cannot be asked, so that the boot says it and no request has to. */
  for({ origins, variable, caFile, ...purpose }: EgressPurpose): EgressClient {
    const own = purpose.mayBePrivate === true ? origins.map(hostAndPortOf) : [];
    const rules = {
      origins,
      privateHosts: [...this.allowedPrivateHosts, ...own],
      ca: caFile === undefined ? this.ca : readCa(caFile.path, caFile.variable),
      keepAlive: purpose.keepAlive ?? false,
      circuit: purpose.circuit ?? defaultCircuit,
    };
    const client = new EgressClient(rules, this.resolve, this.clock);
    for (const origin of origins) assertReachable(client, origin, variable);
    this.clients.push({ variable, client });
    return client;
  }

  /** By the variable that names whom it asks: how many origins are not asked for a while. */
  openCircuits(): ReadonlyMap<string, number> {
    const open = new Map<string, number>();
    for (const { variable, client } of this.clients)
      open.set(variable, (open.get(variable) ?? 0) + client.openCircuits);
    return open;
  }
}

function assertReachable(client: EgressClient, origin: string, variable: string): void {
  try {
    client.check(`${origin}/`);
  } catch (error) {
    throw Object.assign(
      new ConfigurationError([
        `${variable}: its host is private or its port is not 443: list it in EGRESS_ALLOW_PRIVATE_HOSTS; ` +
          'link-local addresses and metadata services are always refused',
      ]),
      { cause: error },
    );
  }
}

function hostAndPortOf(origin: string): string {
  const { hostname, port, protocol } = new URL(origin);
  return `${hostname}:${port || (protocol === 'http:' ? 80 : 443)}`;
}

function readCa(file: string, variable: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new ConfigurationError([
      `${variable}: the file cannot be read (${(error as NodeJS.ErrnoException).code}); check its path and its owner`,
    ]);
  }
}
