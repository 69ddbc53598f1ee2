import { PrismaPg } from '@prisma/adapter-pg';
import type { Config } from '../config/index.js';
import { PrismaClient } from '../generated/prisma/client.js';
import { connectionOptions } from './connection.js';
import { runningEmbedded } from './embedded.js';

/**
 * A client that sees cells as they are stored, for the commands that maintain them. The service never uses it: what it
 * writes is not sealed, and what it reads is not opened.
 * @param config of an open Database: the embedded database must run.
 */
export async function openStoredClient(config: Config): Promise<PrismaClient> {
  const socketDirectory = config.databaseUrl === undefined ? await runningEmbedded(config.dataDirectory) : undefined;
  return new PrismaClient({
    adapter: new PrismaPg(connectionOptions(config, socketDirectory)),
    errorFormat: 'minimal',
    transactionOptions: { maxWait: 5_000, timeout: 10_000 },
  });
}
