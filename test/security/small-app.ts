import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import {
  Body,
  Controller,
  Delete,
  Get,
  Module,
  Param,
  Patch,
  Post,
  Query,
  type DynamicModule,
  type Type,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { CommonModule } from '../../src/common/common.module.js';
import { Macs } from '../../src/common/macs.js';
import { createClientAddress } from '../../src/common/http/client-address.js';
import { openRequestContexts } from '../../src/common/http/request-context.js';
import { RequestCounter, tellAnswered } from '../../src/common/http/request-counter.js';
import { SecurityEvents, type SecurityEvent } from '../../src/common/events/security-events.js';
import { ConfigModule, readConfig, type Config } from '../../src/config/index.js';
import { createErrorHandlers, ErrorsModule } from '../../src/security/errors/index.js';
import { HeadersModule } from '../../src/security/headers/headers.module.js';
import { LOG_DESTINATION, LoggingModule } from '../../src/security/logging/logging.module.js';
import {
  InternalListener,
  limits,
  listenerOptions,
  loadTls,
  RedirectListener,
  TransportModule,
} from '../../src/security/transport/index.js';
import { send, type Answer, type RequestParts } from '../support/http.js';

/** Handlers without any rule of their own, so that a test sees the practices around them and nothing else. */
@Controller('things')
export class ThingsController {
  @Get()
  list(@Query() query: Record<string, unknown>) {
    return { query };
  }

  @Get('slow')
  async slow() {
    await new Promise((resolve) => setTimeout(resolve, 300));
    return { slow: true };
  }

  @Get(':id')
  read(@Param('id') id: string) {
    return { id };
  }

  @Post()
  create(@Body() body: unknown) {
    return { body };
  }

  @Patch(':id')
  update(@Body() body: unknown) {
    return { body };
  }

  @Delete(':id')
  remove() {
    return {};
  }
}

export interface SmallOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly bounds?: Partial<typeof limits>;
  readonly controllers?: readonly Type[];
  readonly modules?: readonly Type[];
  readonly dataDirectory?: string;
  /** Practices that are left out, as their owner would delete their line in the table. */
  readonly without?: readonly Type[];
}

/** The practices of the listener, without database and sign-in, on real HTTPS. */
export class SmallApp {
  readonly events: SecurityEvent[] = [];
  readonly counter = new RequestCounter();
  private readonly chunks: string[] = [];
  readonly destination = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      this.chunks.push(chunk.toString());
      done();
    },
  });
  nest!: NestFastifyApplication;
  config!: Config;
  ca = '';
  port = 0;

  get redirectPort(): number {
    return this.nest.get(RedirectListener, { strict: false }).port;
  }
  get internalPort(): number {
    return this.nest.get(InternalListener, { strict: false }).port;
  }

  request(method: string, path: string, parts?: RequestParts): Promise<Answer> {
    return send({ port: this.port, ca: this.ca }, method, path, parts);
  }

  logText(): string {
    return this.chunks.join('');
  }
  logs(): Record<string, unknown>[] {
    return this.logText()
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  }
  /** The first log line that matches; lines are written a moment after the answer. */
  async logLine(matches: (line: Record<string, unknown>) => boolean): Promise<Record<string, unknown>> {
    for (let attempt = 0; attempt < 500; attempt++) {
      const found = this.logs().find(matches);
      if (found !== undefined) return found;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error('no such log line was written');
  }

  async close(): Promise<void> {
    await this.nest.close();
    rmSync(this.config.dataDirectory, { recursive: true, force: true });
  }
}

export async function startSmallApp({
  env = {},
  bounds = {},
  controllers = [],
  modules = [],
  dataDirectory,
  without = [],
}: SmallOptions = {}): Promise<SmallApp> {
  const app = new SmallApp();
  const directory = dataDirectory ?? mkdtempSync(join(tmpdir(), 'small-app-'));
  const ports = { HTTPS_PORT: '0', HTTP_PORT: '0', INTERNAL_PORT: '0' };
  const config = (app.config = readConfig({ DATA_DIRECTORY: directory, ...ports, ...env }));
  const tls = await loadTls(config);
  const options = listenerOptions(tls, createErrorHandlers(config, app.counter), { ...limits, ...bounds });
  const adapter = new FastifyAdapter(options);
  openRequestContexts(adapter.getInstance(), createClientAddress(config.trustedProxies));
  tellAnswered(adapter.getInstance(), app.counter);
  app.nest = await NestFactory.create<NestFastifyApplication>(table(app, { controllers, modules, without }), adapter, {
    bodyParser: false,
    logger: false,
    abortOnError: false,
  });
  app.nest
    .get(SecurityEvents)
    .subscribe({ recordInTransaction: async () => undefined, reportLater: (event) => void app.events.push(event) });
  await app.nest.listen(0, '127.0.0.1');
  app.port = (app.nest.getHttpServer().address() as { port: number }).port;
  if (tls.caFile !== undefined) app.ca = readFileSync(tls.caFile, 'utf8');
  return app;
}

function table(app: SmallApp, { controllers = [], modules = [], without = [] }: SmallOptions): DynamicModule {
  @Module({})
  class SmallModule {}
  @Module({})
  class OutsideModule {}
  // Without accounts there is nothing to seal: no key ring.
  const outside = [
    { provide: LOG_DESTINATION, useValue: app.destination },
    { provide: Macs, useValue: {} },
  ];
  return {
    module: SmallModule,
    imports: [
      ConfigModule.with(app.config),
      CommonModule.with(undefined, app.counter),
      { module: OutsideModule, global: true, providers: outside, exports: outside },
      ...[LoggingModule, TransportModule, HeadersModule, ErrorsModule].filter(
        (practice) => !without.includes(practice),
      ),
      ...modules,
    ],
    controllers: [ThingsController, ...controllers],
  };
}
