import type { DynamicModule, Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { KeyRing } from '@nestjs-secure-template/field-encryption';
import { AppModule } from './app.module.js';
import type { Clock } from './common/clock.js';
import { createClientAddress } from './common/http/client-address.js';
import { openRequestContexts } from './common/http/request-context.js';
import { RequestCounter, tellAnswered } from './common/http/request-counter.js';
import { purposes } from './common/macs.js';
import { removeOldDrafts } from './common/whole-files.js';
import { prepareDataDirectory, type Config } from './config/index.js';
import { Database } from './database/index.js';
import { assertPrivateFiles } from './private-files.js';
import { createErrorHandlers } from './security/errors/index.js';
import {
  InternalListener,
  listenFault,
  listenerOptions,
  loadTls,
  RedirectListener,
  type TlsFiles,
} from './security/transport/index.js';
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
  readonly modules?: readonly (Type | DynamicModule)[];
  /** Uses the embedded database that somebody runs on the data directory, instead of starting it. */
  readonly joinDatabase?: boolean;
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
  const database = await Database.open(config, keyRing, { join: overrides.joinDatabase });
  try {
    await database.assertSealedColumns();
    const { clock, modules = [] } = overrides;
    const counter = new RequestCounter();
    const table = AppModule.with({ config, keyRing, database, clock, counter, modules });
    const adapter = new FastifyAdapter(listenerOptions(tls, createErrorHandlers(config, counter)));
    openRequestContexts(adapter.getInstance(), createClientAddress(config.trustedProxies));
    tellAnswered(adapter.getInstance(), counter);
    const app = await NestFactory.create<NestFastifyApplication>(table, adapter, {
      // Nest's parsers accept forms and lenient JSON; transport registers the only one.
      bodyParser: false,
      // A fault in the boot is thrown, so that main.ts says it in one line.
      abortOnError: false,
      logger: ['warn', 'error', 'fatal'],
    });
    await app.get(Tombstones, { strict: false }).assertNoErasedUsersRestored();
    return serviceOf(app, database, { config, tls });
  } catch (error) {
    await database.close();
    throw error;
  }
}

/** In production a missing key ring is a fault: one made now could not open what was sealed before. */
async function loadKeyRing({ production, keyRingFile }: Config): Promise<KeyRing> {
  await removeOldDrafts(keyRingFile);
  return production ? KeyRing.load(keyRingFile, purposes) : KeyRing.loadOrCreate(keyRingFile, purposes);
}

function serviceOf(
  app: NestFastifyApplication,
  database: Database,
  { config, tls }: { config: Config; tls: TlsFiles },
): Service {
  const close = (): Promise<void> => app.close().finally(() => database.close());
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
      const ports = {
        http: app.get(RedirectListener, { strict: false }).port,
        internal: app.get(InternalListener, { strict: false }).port,
      };
      return { https: address?.port ?? config.httpsPort, ...ports, caFile: tls.caFile };
    },
    close,
    onFailure: (listener) => database.onFailure(listener),
  };
}
