import { delimiter, resolve } from 'node:path';
import { defineConfig } from 'prisma/config';

// `generate`, `validate` and `format` need no schema engine, but Prisma downloads one before it looks. A path that
// exists keeps the install and the build offline; migrations are applied by src/database/migrations.ts.
if (['generate', 'validate', 'format'].some((command) => process.argv.includes(command))) {
  process.env['PRISMA_SCHEMA_ENGINE_BINARY'] ??= process.execPath;
}

// The field-encryption generator is TypeScript that Node runs as it is: with the pinned runtime, whatever the system
// has.
process.env['PATH'] = [resolve('node_modules/.bin'), process.env['PATH']].join(delimiter);

export default defineConfig({
  schema: 'prisma/schema',
  migrations: { path: 'prisma/migrations' },
  datasource: { url: process.env['DATABASE_URL'] ?? '' },
});
