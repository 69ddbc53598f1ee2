import { Inject, Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ExposedCredentials } from '../../common/access/exposed-credentials.js';
import { networkOf } from '../../common/http/network.js';
import { requestContext } from '../../common/http/request-context.js';
import { CONFIG, type Config } from '../../config/index.js';
import { BoundedCache } from '../authentication/bounded-cache.js';
import { ApiKeysService } from './api-keys.service.js';
import { keyFormatOf } from './api-keys.settings.js';
import type { ReadKey } from './key-format.js';

/** Addresses with a key that one network gets looked at in a minute: each may cost look-ups in the database. */
const maxLooks = 10;
const maxNetworks = 1_000;

/** Keys that others may have read: in an address, which logs, histories and proxies keep, or over plain HTTP. */
@Injectable()
export class ExposedKeys implements OnModuleInit {
  private readonly logger = new Logger('ApiKeys');
  private readonly format;
  private looks = new BoundedCache<string, number>(maxNetworks);
  private windowEnd = 0;

  constructor(
    @Inject(CONFIG) config: Config,
    private readonly keys: ApiKeysService,
    private readonly host: HttpAdapterHost,
    private readonly exposed: ExposedCredentials,
  ) {
    this.format = keyFormatOf(config);
  }

  onModuleInit(): void {
    this.exposed.subscribe({
      kind: 'API keys',
      pattern: this.format.pattern,
      revoke: (lookAlikes) => this.keys.revokeExposed(lookAlikes.flatMap((text) => this.format.find(text))),
    });
    // A hook, because guards are not asked for addresses that lead nowhere, or that are refused before. Behind the
    // answer, which is a refusal in any case.
    this.host.httpAdapter
      .getInstance<FastifyInstance>()
      .addHook('onResponse', async (request) => this.revokeIn(request).catch((error: unknown) => this.complain(error)));
  }

  /** Whether the address holds what looks like a key. Of its form alone: no look-up. */
  isIn(request: FastifyRequest): boolean {
    return this.keysIn(request).length > 0;
  }

  private async revokeIn(request: FastifyRequest): Promise<void> {
    const found = this.keysIn(request);
    if (found.length > 0 && this.mayLook()) await this.keys.revokeExposed(found.slice(0, maxLooks));
  }

  private keysIn({ raw: { url = '' } }: FastifyRequest): ReadKey[] {
    // Most addresses are shorter than any key.
    if (!url.includes(this.format.prefix) && !url.includes('%')) return [];
    const decoded = url.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
    return this.format.find(decoded);
  }

  private mayLook(): boolean {
    const now = performance.now();
    if (now >= this.windowEnd) [this.looks, this.windowEnd] = [new BoundedCache(maxNetworks), now + 60_000];
    const network = networkOf(requestContext()?.address ?? '');
    const count = (this.looks.get(network) ?? 0) + 1;
    this.looks.set(network, count);
    return count <= maxLooks;
  }

  private complain(error: unknown): void {
    this.logger.error({ message: 'an API key in an address could not be revoked', error });
  }
}
