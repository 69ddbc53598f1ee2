// The service without its practices: the same controllers, services, policies and queries, on bare Nest-Fastify with a
// client that encrypts nothing. What is left out is exactly the middle part of THE TABLE in src/app.module.ts.
import 'reflect-metadata';
import { Global, Module } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { AuthoritySeals } from '../../src/common/access/authority-seals.js';
import { CommonModule } from '../../src/common/common.module.js';
import { Macs } from '../../src/common/macs.js';
import type { Principal } from '../../src/common/access/principal.js';
import { ConfigModule, configFromEnvironment } from '../../src/config/index.js';
import { Database, type Insertion } from '../../src/database/index.js';
import type { Prisma } from '../../src/generated/prisma/client.js';
import { IdempotencyModule } from '../../src/idempotency/index.js';
import { MailModule } from '../../src/mail/index.js';
import { ResourcesModule } from '../../src/resources/index.js';
import { SharedStateModule } from '../../src/shared-state/index.js';
import { UsersModule } from '../../src/users/index.js';
import { signedIn } from '../fixture.js';
import { caller, createPlainApp, openPlainDatabase, seed, serve } from './plain.js';

const config = configFromEnvironment();
const plain = await openPlainDatabase(config, ['DROP TRIGGER resources_owner_quota ON resources']);
await seed(plain.client, (text) => text);

/** No audit event shares a transaction with the change, so none is begun. */
const database: Pick<Database, 'client' | 'transaction' | 'insertAndRecord'> = {
  client: plain.client,
  transaction: (work) => work(),
  // By the client's own create, as its documentation shows it.
  insertAndRecord: async <T>([row]: readonly [Insertion, ...Insertion[]]) => {
    const { data } = row as { data: Prisma.ResourceUncheckedCreateInput };
    return (await plain.client.resource.create({ data, omit: { ownerQuota: true } })) as T;
  },
};

/** Cursors and keys without a MAC: nobody forges one here. */
const macs: Pick<Macs, keyof Macs> = {
  sign: () => ({ keyId: 'none', mac: Buffer.alloc(32) }),
  verify: () => true,
  keyed: (_, text) => text,
  keyedWithAllKeys: (_, text) => [text],
};

@Global()
@Module({
  providers: [{ provide: Database, useValue: database }, { provide: Macs, useValue: macs }, AuthoritySeals],
  exports: [Database, Macs, AuthoritySeals],
})
class PlainDatabaseModule {}

@Module({
  imports: [
    ConfigModule.with(config),
    CommonModule.with(),
    PlainDatabaseModule,
    SharedStateModule,
    IdempotencyModule,
    MailModule,

    UsersModule,
    ResourcesModule,
  ],
})
class BareModule {}

const principal = signedIn(caller);

const app = await createPlainApp(BareModule, config);
// Nobody is authenticated and nothing is validated: the caller is always the same, and the handlers get their number.
app
  .getHttpAdapter()
  .getInstance()
  .addHook('preHandler', (request: FastifyRequest & { user?: Principal }, _reply, done) => {
    request.user = principal;
    const query = request.query as { limit?: unknown };
    if (query.limit !== undefined) query.limit = Number(query.limit);
    done();
  });
await serve(app, config, plain);
