import { ConfigurationError, type Config } from '../config/index.js';
import { connectionOptions, ownerConnection, withClient } from './connection.js';
import { migrate, pendingMigrations, waitForMigrations } from './migrations.js';
import { isOneSession } from './prepared.js';
import { excessRights } from './roles.js';
import { assertSession } from './session.js';

/**
 * Checks what the service relies on, then sees to the migrations of a PostgreSQL server, as its owner; without one only
 * development migrates. Then checks what the role of the service may do.
 * @returns what production refuses, for development to warn of, and whether each connection keeps its session.
 * @throws ConfigurationError when a setting is not as the service needs it, or production would run with pending
 * migrations, or with a role that may do too much.
 */
export async function prepareServer(config: Config): Promise<{ warnings: readonly string[]; oneSession: boolean }> {
  const service = connectionOptions(config, undefined);
  const oneSession = await withClient(service, async (client) => {
    await assertSession(client, { limits: true });
    return isOneSession(client);
  });
  await waitForMigrations(service);
  const pending = () => withClient(service, (client) => pendingMigrations(client));
  const migrates = config.databaseOwnerUrl !== undefined || (!config.production && (await pending()).length > 0);
  if (migrates) await migrate(ownerConnection(config));
  const missing = await pending();
  if (missing.length > 0) {
    const how = 'apply them as owner (npm run cli -- db:migrate), or set DATABASE_OWNER_URL';
    throw new ConfigurationError([`DATABASE_URL: ${missing.length} migrations are missing: ${how}`]);
  }
  const excess = await withClient(service, (client) => excessRights(client));
  if (config.production && excess.length > 0) throw new ConfigurationError(excess);
  return { warnings: excess, oneSession };
}
