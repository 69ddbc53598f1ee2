export { ownerConnection, withClient } from './connection.js';
export { Database, type ProtectedClient, type Statement } from './database.js';
export { DatabaseModule } from './database.module.js';
export { migrate, pendingMigrations } from './migrations.js';
export { grantRuntimeRole } from './roles.js';
export { openStoredClient } from './stored-client.js';
export { isUniqueViolation } from './unique-violation.js';
export { isChanged } from './changed-row.js';
