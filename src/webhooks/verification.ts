import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { Inject, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { noteSender } from '../common/access/signed-requests.js';
import { Clock } from '../common/clock.js';
import { SecurityEvents } from '../common/events/security-events.js';
import { Problem } from '../common/http/problem.js';
import { CONFIG, ConfigurationError, type Config } from '../config/index.js';
import type { Claimed } from './schemes.js';
import { webhookRefused, webhookRejected, webhooks, type Webhook } from './webhook.js';
import { webhookSettings } from './webhooks.settings.js';

/** Standard Webhooks: "a few minutes", into the past and the future. */
const toleranceMs = 5 * 60_000;
const dayMs = 24 * 3_600_000;

type Reason = 'missing' | 'malformed' | 'signature' | 'time';

/** What was verified of a request. */
export interface Delivery {
  readonly source: string;
  readonly id: string;
  readonly expiresAt: Date;
}

const deliveries = new WeakMap<IncomingMessage, Delivery>();

/** Undefined for a request whose signature nobody has verified. */
export const deliveryOf = (request: IncomingMessage): Delivery | undefined => deliveries.get(request);

/** Verifies webhooks over the bytes that came, before anything has read a meaning into them. */
@Injectable()
export class WebhookVerification implements OnApplicationBootstrap {
  private readonly keys: ReadonlyMap<string, readonly Buffer[]>;

  /** @throws ConfigurationError for a secret that no sender has, or that has not the form of its scheme. */
  constructor(
    @Inject(CONFIG) config: Config,
    private readonly events: SecurityEvents,
    private readonly clock: Clock,
  ) {
    this.keys = keysOf(config);
  }

  onApplicationBootstrap(): void {
    const without = webhooks().flatMap(({ name }) => (this.keys.has(name) ? [] : [variableOf(name)]));
    if (without.length > 0)
      new Logger('Webhooks').warn(`webhooks are answered with 404 until their secrets are set: ${without.join(', ')}`);
  }

  /**
   * The hook of Fastify that stands before the parser: a guard comes too late, when the bytes are parsed and gone.
   * @returns the same bytes, for the parser.
   * @throws Problem not-found without a secret, content-too-large, webhook-refused.
   */
  async verify(webhook: Webhook, request: FastifyRequest, payload: Readable): Promise<Readable> {
    const { name, scheme } = webhook;
    const keys = this.keys.get(name);
    if (keys === undefined) throw new Problem('not-found');
    const values = scheme.fields.map((field) => request.raw.headersDistinct[field]);
    // Twice is as good as not at all: two readers would take different ones.
    if (values.some((each) => each?.length !== 1)) throw this.refused(name, 'missing');
    const bytes = await wholeOf(payload, request);
    const claimed = scheme.read(
      values.flatMap((each) => each ?? []),
      bytes,
    );
    if (claimed === undefined) throw this.refused(name, 'malformed');
    if (!isGenuine(claimed, keys)) throw this.refused(name, 'signature');
    const now = this.clock.now().getTime();
    if (claimed.at !== undefined && Math.abs(now - claimed.at.getTime()) > toleranceMs)
      throw this.refused(name, 'time');
    noteSender(request.raw, name);
    const expiresAt = new Date(now + scheme.rememberedDays * dayMs);
    deliveries.set(request.raw, { source: name, id: claimed.id, expiresAt });
    return Readable.from([bytes]);
  }

  private refused(source: string, reason: Reason): Problem {
    this.events.reportLater({ action: webhookRejected, outcome: 'denied', details: { source, reason } });
    return new Problem(webhookRefused);
  }
}

/** Every key is compared with every signature in constant time (CWE-208). */
const isGenuine = (claimed: Claimed, keys: readonly Buffer[]): boolean =>
  keys.some((key) => {
    const right = claimed.mac(key);
    return claimed.signatures.some((one) => timingSafeEqual(one, right));
  });

/** At most as many bytes as the route takes; of a longer body nobody waits for the end. */
function wholeOf(payload: Readable, { headers, routeOptions, raw }: FastifyRequest): Promise<Buffer> {
  const { bodyLimit } = routeOptions;
  return new Promise((resolve, reject) => {
    const tooLarge = (): void =>
      reject(new Problem('content-too-large', undefined, { headers: { connection: 'close' } }));
    if (Number(headers['content-length'] ?? 0) > bodyLimit) return tooLarge();
    const chunks: Buffer[] = [];
    let length = 0;
    const onData = (chunk: Buffer): void => {
      length += chunk.length;
      if (length <= bodyLimit) return void chunks.push(chunk);
      payload.off('data', onData);
      tooLarge();
    };
    payload.on('data', onData);
    payload.once('end', () => resolve(Buffer.concat(chunks)));
    // Broken off, or too slow: nobody is left to answer, and the listener has told of it.
    for (const end of ['error', 'close'])
      payload.once(end, (error?: Error) => reject(raw.errored ?? error ?? brokenOff()));
  });
}

const brokenOff = (): Error => new Problem('malformed-request', 'The body breaks off.');

const variableOf = (name: string): string => `WEBHOOK_${name.toUpperCase()}_SECRET`;

function keysOf(config: Config): ReadonlyMap<string, readonly Buffer[]> {
  const faults: string[] = [];
  const keys = new Map<string, readonly Buffer[]>();
  for (const [name, { SECRET = [] }] of config.each(webhookSettings)) {
    const webhook = webhooks().find((one) => one.name === name);
    if (webhook === undefined) {
      faults.push(`${variableOf(name)}: no route takes webhooks of ${name}: mend the name, or take it away`);
      continue;
    }
    try {
      keys.set(
        name,
        SECRET.map((secret) => webhook.scheme.keyOf(secret)),
      );
    } catch (error) {
      faults.push(`${variableOf(name)}: ${(error as Error).message}`);
    }
  }
  if (faults.length > 0) throw new ConfigurationError(faults);
  return keys;
}
