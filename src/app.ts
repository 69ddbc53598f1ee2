import { Global, Module, type DynamicModule, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { DestinationStream } from 'pino';
import { AppModule } from './app.module.js';
import type { Clock } from './common/clock.js';
import { RequestCounter } from './common/request-counter.js';
import { removeOldDrafts } from './common/whole-files.js';
import { prepareDataDirectory, type Config } from './config/index.js';
import { Database } from './database/index.js';
import { assertPrivateFiles } from './private-files.js';
import { KeyRing } from './security/data-protection/index.js';
import { createErrorHandlers } from './security/errors/index.js';
import { LOG_DESTINATION } from './security/logging/index.js';
import { InternalListener, listenFault, listenerOptions, loadTls, RedirectListener, type TlsFiles } from './security/transport/index.js';
import { checkRedis } from './shared-state/index.js';
import { Tombstones } from './users/index.js';

/** The ports that the service listens on; with a configured port of 0, the ones that the system gave. */
export interface Addresses {
  readonly https: number;
  readonly http: number;
  readonly internal: number;
  /** The development CA; undefined with certificates of the owner. */
  readonly caFile: string | undefined;
}

/** What tests replace or add. Nothing of it weakens a practice. */
export interface Overrides {
  readonly clock?: Clock;
  readonly logDestination?: DestinationStream;
  readonly modules?: readonly (Type | DynamicModule)[];
}

/** The service, built but not listening yet. */
export interface Service {
  readonly app: NestFastifyApplication;
  listen(): Promise<Addresses>;
  /** Answers what is in flight, then closes the listeners and the database. */
  close(): Promise<void>;
  /** Called when something that the service cannot do without ended by itself. */
  onFailure(listener: (error: Error) => void): void;
}

/**
 * The one way to make the service: `main.ts` and every test use it.
 * @throws ConfigurationError and other errors whose message tells the owner what to mend.
 */
export async function createService(config: Config, overrides: Overrides = {}): Promise<Service> {
  prepareDataDirectory(config.dataDirectory);
  if (config.production) assertPrivateFiles(config);
  const [keyRing, tls] = await Promise.all([loadKeyRing(config), loadTls(config), checkRedis(config)]);
  const database = await Database.open(config, keyRing);
  try {
    await database.assertSealedColumns();
    const { clock, modules = [], logDestination } = overrides;
    const logModules = logDestination === undefined ? [] : [LogDestinationModule.with(logDestination)];
    const counter = new RequestCounter();
    const table = AppModule.with({ config, keyRing, database, clock, counter, modules: [...logModules, ...modules] });
    const adapter = new FastifyAdapter(listenerOptions(tls, createErrorHandlers(config, counter)));
    const app = await NestFactory.create<NestFastifyApplication>(table, adapter, {
      // Nest's parsers accept forms and lenient JSON; transport registers the only one.
      bodyParser: false,
      // A fault in the boot is thrown, so that main.ts says it in one line.
      abortOnError: false,
      logger: ['warn', 'error', 'fatal'],
    });
    await app.get(Tombstones, { strict: false }).refuseTheRisen();
    return serviceOf(app, database, { config, tls });
  } catch (error) {
    await database.close();
    throw error;
  }
}

/** In production a missing key ring is a fault: one made now could not open what was sealed before. */
async function loadKeyRing({ production, keyRingFile }: Config): Promise<KeyRing> {
  await removeOldDrafts(keyRingFile);
  return production ? KeyRing.load(keyRingFile) : KeyRing.loadOrCreate(keyRingFile);
}

function serviceOf(app: NestFastifyApplication, database: Database, { config, tls }: { config: Config; tls: TlsFiles }): Service {
  const close = async (): Promise<void> => {
    try {
      await app.close();
    } finally {
      await database.close();
    }
  };
  return {
    app,
    async listen() {
      try {
        await app.listen({ port: config.httpsPort, host: config.host });
      } catch (error) {
        await close();
        throw listenFault(error, { host: 'HOST', port: 'HTTPS_PORT' });
      }
      const [address] = app.getHttpAdapter().getInstance().addresses() as { port: number }[];
      const ports = { http: app.get(RedirectListener, { strict: false }).port, internal: app.get(InternalListener, { strict: false }).port };
      return { https: address?.port ?? config.httpsPort, ...ports, caFile: tls.caFile };
    },
    close,
    onFailure: (listener) => database.onFailure(listener),
  };
}

@Global()
@Module({})
class LogDestinationModule {
  static with(destination: DestinationStream): DynamicModule {
    return { module: LogDestinationModule, providers: [{ provide: LOG_DESTINATION, useValue: destination }], exports: [LOG_DESTINATION] };
  }
}
