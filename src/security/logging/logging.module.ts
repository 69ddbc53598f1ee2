import { Global, Inject, Logger, Module, Optional, type DynamicModule } from '@nestjs/common';
import { APP_INTERCEPTOR, HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';
import type { DestinationStream } from 'pino';
import { RequestCounter } from '../../common/http/request-counter.js';
import { learnRoute } from '../../common/access/access-line.js';
import { LogLines } from '../../common/events/log-lines.js';
import { Measures } from '../../common/events/measures.js';
import { CONFIG, type Config } from '../../config/index.js';
import { createLogger } from './logger.js';
import { NestLogger } from './nest-logger.js';
import { logRequests, RequestLogInterceptor } from './request-log.js';
import { StandardOutput } from './standard-output.js';

/** Injection token: where the log goes instead of stdout. */
export const LOG_DESTINATION = Symbol('LogDestination');

// Threat: attacks that nobody sees, forged or flooded logs, logs that leak what the database protects (API9, A09:2021).
// Does: ECS JSON on stdout, one line per exchange, request ids made here, redaction, no character that forges a line.
// Does not: collect, alert or keep evidence (security/audit).
// Remove: npm run remove logging; Nest's own console logger takes over.
@Module({ providers: [{ provide: APP_INTERCEPTOR, useClass: RequestLogInterceptor }] })
export class LoggingModule {
  constructor(
    host: HttpAdapterHost,
    @Inject(CONFIG) config: Config,
    measures: Measures,
    lines: LogLines,
    counter: RequestCounter,
    @Optional() @Inject(LOG_DESTINATION) destination?: DestinationStream,
  ) {
    const output = new StandardOutput();
    if (destination === undefined) output.start();
    const stream = destination ?? output;
    const write = (line: string): void => {
      stream.write(line);
      lines.tell(line);
    };
    const logger = createLogger(config, { write });
    measure(output, measures);
    Logger.overrideLogger(new NestLogger(logger));
    const instance: FastifyInstance = host.httpAdapter.getInstance();
    instance.addHook('onRoute', ({ url }) => learnRoute(url));
    logRequests(counter, logger);
  }
}

function measure(output: StandardOutput, measures: Measures): void {
  measures.add({
    name: 'log_lines_lost_total',
    help: 'Log lines that nobody took from the standard output in time.',
    read: () => output.lostLines,
  });
  measures.add({
    name: 'log_waiting_bytes',
    help: 'What waits to be taken from the standard output.',
    read: () => output.waitingBytes,
  });
}

/** Tests read the log by it. */
@Global()
@Module({})
export class LogDestinationModule {
  static with(destination: DestinationStream): DynamicModule {
    return {
      module: LogDestinationModule,
      providers: [{ provide: LOG_DESTINATION, useValue: destination }],
      exports: [LOG_DESTINATION],
    };
  }
}
