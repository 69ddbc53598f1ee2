import { Inject, Logger, Module, Optional } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';
import type { DestinationStream } from 'pino';
import { learnRoute } from '../../common/access-line.js';
import { createClientAddress } from '../../common/client-address.js';
import { CONFIG, type Config } from '../../config/index.js';
import { createLogger } from './logger.js';
import { NestLogger } from './nest-logger.js';
import { createRequestHook } from './request-log.js';

/** Injection token: where the log goes instead of stdout. A global module may provide it; tests do. */
export const LOG_DESTINATION = Symbol('LogDestination');

// Threat: attacks that nobody sees, forged or flooded logs, logs that leak what the database protects (API9, A09:2021).
// Does: ECS JSON on stdout, one line per exchange, request ids made here, redaction, no character that forges a line.
// Does not: collect, alert (security/detection) or keep evidence (security/audit).
// Remove: delete this folder and its line in app.module.ts; Nest's own console logger takes over.
@Module({})
export class LoggingModule {
  constructor(
    host: HttpAdapterHost,
    @Inject(CONFIG) config: Config,
    @Optional() @Inject(LOG_DESTINATION) destination?: DestinationStream,
  ) {
    const logger = createLogger(config, destination);
    Logger.overrideLogger(new NestLogger(logger));
    const instance: FastifyInstance = host.httpAdapter.getInstance();
    instance.addHook('onRoute', ({ url }) => learnRoute(url));
    instance.addHook('onRequest', createRequestHook(logger, createClientAddress(config.trustedProxies)));
  }
}
