import { globSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Copy } from '../scripts/remove/copy.ts';
import { findParts } from '../scripts/remove/parts.ts';
import { Project } from '../scripts/remove/project.ts';

// What an owner does first, in a copy: every feature of the template goes, one of their own comes, with a role and a
// route that nobody else may call. The practices stay, and all that the tests prove of them.

const copy = new Copy(new Project().files());
/** Compilers and a whole run of tests, on a machine that may be busy. */
const minutes = 10 * 60_000;

const practices = /^src\/(?:security|api-docs)\b/;
const features = findParts(new Project())
  .filter(({ ground, root }) => ground === undefined && !practices.test(root))
  .map(({ name }) => name);

/** Puts lines before the first place that has the text. */
function insert(file: string, before: string, lines: string): void {
  const path = join(copy.directory, file);
  const text = readFileSync(path, 'utf8');
  expect([file, text.includes(before)]).toEqual([file, true]);
  writeFileSync(
    path,
    text.replace(before, () => `${lines}${before}`),
  );
}

const tests = (...args: readonly string[]) =>
  copy.program('vitest', 'run', '--project', 'fast', '--tags-filter=!timing', ...args);
/** What the messages of the tests say. */
const renewing = [
  'MATRIX=write npx vitest run test/security/authorization/matrix.test.ts',
  'npm run inventory --silent -- --markdown > docs/inventory.md',
];

const tree = () =>
  globSync(['*.*', '.*', '{src,test,docs,prisma,scripts,bench}/**/*.*'], { cwd: copy.directory })
    .filter((file) => !file.startsWith('src/generated') && statSync(join(copy.directory, file)).isFile())
    .toSorted()
    .map((file) => [file, readFileSync(join(copy.directory, file), 'utf8')]);
let before: ReturnType<typeof tree>;

beforeAll(async () => {
  expect(await copy.run('scripts/remove.ts', ...features, '--with-dependents', '--force')).toBeUndefined();
  before = tree();
  expect(await copy.run('scripts/generate.ts', 'resource', 'invoice')).toBeUndefined();
}, minutes);
afterAll(() => copy.delete());

describe('the first day of an owner [practice 11.1] [practice 2.3]', () => {
  it(
    'adds a role, an integer in a body and a route for that role alone: what has to be renewed says how',
    async () => {
      const feature = 'src/invoices/invoice';
      insert(`${feature}.policy.ts`, 'export const invoicePermissions', "const auditor = declareRole('auditor');\n\n");
      insert(`${feature}.policy.ts`, 'definePermissions, user', 'declareRole, ');
      insert(`${feature}.policy.ts`, "  create: { objects: 'new'", "  count: { objects: 'any', roles: [auditor] },\n");
      insert(
        `${feature}s.dto.ts`,
        'export class CreateInvoice',
        `export class CountInvoices {
  @ApiProperty({ type: 'integer', minimum: 1, maximum: 9 })
  @IsInt()
  @Min(1)
  @Max(9)
  version: number;
}

export class InvoiceCountView {
  @ViewField({ type: 'integer' })
  count: number;
}

`,
      );
      insert(
        `${feature}s.dto.ts`,
        'import { PageQuery',
        "import { ApiProperty } from '@nestjs/swagger';\nimport { IsInt, Max, Min } from 'class-validator';\n",
      );
      insert(
        `${feature}s.controller.ts`,
        '  @Get()\n',
        `  @Post('counts')
  @HttpCode(200)
  @Can(invoicePermissions.count)
  @ApiOkResponse({ type: InvoiceCountView })
  async count(@Body() { version }: CountInvoices): Promise<InvoiceCountView> {
    return { count: await this.invoices.count(version) };
  }

`,
      );
      insert(`${feature}s.controller.ts`, 'CreateInvoice, ', 'CountInvoices, InvoiceCountView, ');
      insert(
        `${feature}s.service.ts`,
        '  list(principal',
        `  count(version: number): Promise<number> {
    return this.invoices.count(version);
  }

`,
      );
      insert(
        `${feature}s.repository.ts`,
        '  find(principal',
        `  count(version: number): Promise<number> {
    return this.database.client.invoice.count({ where: { version } });
  }

`,
      );
      const [migration = ''] = globSync('prisma/migrations/*_invoices/migration.sql', { cwd: copy.directory });
      insert(migration, 'CREATE TABLE', "SELECT allow_in_users('roles', 'auditor');\n");
      insert(
        'test/invoices/matrix.ts',
        '    [`GET ${path}`]',
        '    [`POST ${path}/counts`]: { body: { version: 1 } },\n',
      );
      insert(
        'docs/http/invoices.http',
        '### The newest\n',
        `### Count those of everybody: for auditors
# Expect 403
POST {{host}}/v1/invoices/counts
Authorization: Bearer {{accessToken}}
Content-Type: application/json

{ "version": 1 }

`,
      );
      expect(await copy.program('oxfmt')).toBeUndefined();
      expect(await copy.program('tsc', '--noEmit')).toBeUndefined();
      const told = await tests('test/security/authorization/matrix.test.ts', 'test/inventory/inventory.test.ts');
      for (const command of renewing) expect(told).toContain(command);
    },
    minutes,
  );

  it(
    'does what was said: every test that is left passes',
    async () => {
      for (const command of renewing) expect(await copy.shell(command)).toBeUndefined();
      expect(await tests()).toBeUndefined();
    },
    minutes,
  );

  it(
    'takes the feature away again: everything is as it was',
    async () => {
      expect(await copy.run('scripts/remove.ts', 'invoices', '--force')).toBeUndefined();
      expect(tree()).toEqual(before);
    },
    minutes,
  );
});
