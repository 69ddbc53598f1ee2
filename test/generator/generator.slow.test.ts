import { execFile } from 'node:child_process';
import { cpSync, existsSync, globSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { linkModules } from '../../scripts/link-modules.js';
import type * as Actors from '../support/actors.js';
import type * as App from '../support/app.js';

// The generator runs in a copy of the project. What it made is then checked, tested by its own tests, and attacked from
// here: these attacks are written without a look at the templates, so that a template cannot weaken both at once.

const copy = mkdtempSync(join(tmpdir(), 'generated-'));
const feature = 'src/invoice-items';
/** Compilers, databases and whole runs of tests, on a machine that may be busy. */
const minutes = 5 * 60_000;

interface Result {
  readonly status: number;
  readonly output: string;
}

/** A program of the copy, without what the run of this test has put into the environment. */
function run(program: string, args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Promise<Result> {
  const path = [dirname(process.execPath), process.env['PATH']].join(delimiter);
  const options = { cwd: copy, env: { PATH: path, HOME: tmpdir(), ...env }, maxBuffer: 64 * 2 ** 20, timeout: minutes };
  return new Promise((done) => {
    execFile(process.execPath, [program, ...args], options, (error, stdout, stderr) =>
      done({ status: error === null ? 0 : Number(error.code ?? -1), output: `${stdout}${stderr}` }),
    );
  });
}

const generate = (...args: readonly string[]) => run('scripts/generate.ts', args);

/** The tests of the copy, in the profile of this run. */
async function failuresOf(files: readonly string[], names: string): Promise<string[]> {
  const profile = Object.fromEntries(
    Object.entries(process.env).filter(([key]) => ['TEST_PROFILE', 'DATABASE_URL', 'REDIS_URL'].includes(key)),
  );
  const file = join(copy, 'report.json');
  rmSync(file, { force: true });
  const args = ['run', ...files, '--testNamePattern', names, '--reporter=json', `--outputFile=${file}`];
  const { status, output } = await run('node_modules/vitest/vitest.mjs', args, profile);
  if (!existsSync(file)) return [output];
  const { numPassedTests, testResults } = JSON.parse(readFileSync(file, 'utf8')) as Report;
  if (status === 0 && numPassedTests === 0) return ['no test ran'];
  const failures = testResults.flatMap(({ message, assertionResults }) => [
    ...(message === '' ? [] : [message]),
    ...assertionResults.flatMap(({ fullName, status: outcome }) => (outcome === 'failed' ? [fullName] : [])),
  ]);
  return status === 0 || failures.length > 0 ? failures : [output];
}

interface Report {
  readonly numPassedTests: number;
  readonly testResults: readonly {
    readonly message: string;
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[];
  }[];
}

/** Every file that the generator could touch, with its content. */
const everything = () =>
  globSync(['src/**', 'test/**', 'docs/**', 'prisma/**', '.*.mjs', '*.*'], { cwd: copy, exclude: ['src/generated/**'] })
    .toSorted()
    .map((file) => [file, statSync(join(copy, file)).isFile() ? readFileSync(join(copy, file), 'utf8') : '']);

/** Does the work while a text of the copy is another one. */
async function changed<T>(file: string, change: (text: string) => string, work: () => Promise<T>): Promise<T> {
  const path = join(copy, file);
  const before = readFileSync(path, 'utf8');
  expect(change(before)).not.toBe(before);
  writeFileSync(path, change(before));
  try {
    return await work();
  } finally {
    writeFileSync(path, before);
  }
}

const replacing = (from: string, to: string) => (text: string) => text.replace(from, to);

let made: Result;

beforeAll(async () => {
  const parts = globSync([
    '*.json',
    '*.ts',
    '.*.mjs',
    '.*.json',
    '*.md',
    'packages',
    'src',
    'test',
    'docs',
    'prisma',
    'scripts',
    'bench',
  ]);
  for (const part of parts)
    cpSync(part, join(copy, part), { recursive: true, filter: (source) => !source.includes('generated') });
  linkModules(copy);
  made = await generate('resource', 'invoice-item');
}, minutes);
afterAll(() => rmSync(copy, { recursive: true, force: true }));

describe('npm run generate resource: a feature that is protected at once [practice 2.4] [practice 11.1]', () => {
  it('says what it made and where it added lines, and what comes next', () => {
    const [files = '', next] = made.output.split('\n\nNext:\n');
    expect([made.status, next]).toEqual([0, expect.stringContaining('npm test -- test/invoice-items')]);
    expect(
      files
        .replace(/\d{14}_/, '')
        .split('\n')
        .map((line) => line.replace(/ +/, ' ')),
    ).toEqual([
      'new docs/http/invoice-items.http',
      'new docs/practices/invoice-items.md',
      'new prisma/schema/invoice-items.prisma',
      ...['policy.ts', 'controller.ts', 'dto.ts', 'module.ts', 'repository.ts', 'service.ts'].map(
        (part) => `new src/invoice-items/invoice-item${part === 'policy.ts' ? '' : 's'}.${part}`,
      ),
      'new src/invoice-items/index.ts',
      ...['invoice-item.policy.test', 'invoice-items.test', 'matrix', 'traces'].map(
        (part) => `new test/invoice-items/${part}.ts`,
      ),
      'new prisma/migrations/invoice_items/migration.sql',
      ...['prisma/schema/users.prisma', 'prisma/field-names.lock.json', 'src/app.module.ts'].map(
        (file) => `edited ${file}`,
      ),
      'new test/invoice-items/matrix.txt',
      'edited docs/inventory.md',
    ]);
  });

  it('edits two files that people write; the others are printed', () => {
    const printed = ['prisma/field-names.lock.json', 'docs/inventory.md'];
    const edited = [...made.output.matchAll(/^edited +(\S+)$/gm)].map(([, file]) => file);
    expect(edited.filter((file) => !printed.includes(file ?? ''))).toEqual([
      'prisma/schema/users.prisma',
      'src/app.module.ts',
    ]);
  });

  it(
    'types, lint and import rules accept it',
    async () => {
      const checks = await Promise.all([
        run('node_modules/typescript/bin/tsc', ['--noEmit']),
        run('node_modules/oxlint/bin/oxlint', ['--type-aware', feature, 'test/invoice-items']),
        run('node_modules/dependency-cruiser/bin/dependency-cruiser.mjs', [
          'src',
          '--config',
          '.dependency-cruiser.mjs',
          '--output-type',
          'err',
        ]),
      ]);
      expect(checks.filter(({ status }) => status !== 0)).toEqual([]);
    },
    minutes,
  );

  it(
    'its own attack tests pass, and the lines of the matrix, the inventory and the permissions are true',
    async () => {
      const files = [
        'test/invoice-items',
        'test/security/authorization/matrix.test.ts',
        'test/security/authorization/permissions.test.ts',
        'test/inventory',
      ];
      expect(await failuresOf(files, 'invoice.?items?|committed inventory|permissions that features')).toEqual([]);
    },
    minutes,
  );
});

describe('what was generated, attacked over HTTPS [A5-6] [practice 2.4]', () => {
  let app: App.TestApp;
  let alice: Actors.Actor;
  let mallory: Actors.Actor;
  beforeAll(async () => {
    const { startApp } = (await import(join(copy, 'test/support/app.ts'))) as typeof App;
    const { signUp } = (await import(join(copy, 'test/support/actors.ts'))) as typeof Actors;
    app = await startApp();
    [alice, mallory] = await Promise.all([signUp(app, 'alice'), signUp(app, 'mallory')]);
  });
  afterAll(() => app?.close());

  const create = async () => {
    const body = { title: 'Delivered', body: 'in May', note: 'canary-note-90210' };
    const { body: created } = await app.request('POST', '/v1/invoice-items', { token: alice.token, body });
    return `/v1/invoice-items/${created.id}`;
  };

  it.each(['GET', 'PATCH', 'DELETE'])(
    'a stranger sends %s: 404; nobody: 401; the owner is answered',
    async (method) => {
      const path = await create();
      const parts = { headers: { 'if-match': '"1"' }, ...(method === 'PATCH' ? { body: { title: 'mine' } } : {}) };
      const tokens = [{ token: mallory.token }, {}, { token: alice.token }];
      const statuses = [];
      for (const token of tokens) statuses.push((await app.request(method, path, { ...parts, ...token })).status);
      expect(statuses).toEqual([404, 401, method === 'DELETE' ? 204 : 200]);
    },
  );

  it('a stranger lists: 200, and nothing of others', async () => {
    await create();
    expect((await app.request('GET', '/v1/invoice-items', { token: mallory.token })).body).toMatchObject({ items: [] });
  });

  it('makes one for somebody else: 400, and there is no row', async () => {
    const body = { title: 'x', body: 'y', ownerId: alice.userId };
    expect((await app.request('POST', '/v1/invoice-items', { token: mallory.token, body })).status).toBe(400);
    expect(await app.sql('SELECT id FROM invoice_items WHERE title = $1', ['x'])).toEqual([]);
  });

  it('the note is in no row in clear, and in no line of the log', async () => {
    await create();
    const rows = await app.sql('SELECT * FROM invoice_items');
    expect(rows.length).toBeGreaterThan(0);
    expect(JSON.stringify(rows)).not.toContain('canary-note-90210');
    expect(app.logText()).not.toContain('canary-note-90210');
  });

  it('the account is erased: its rows are gone', async () => {
    const { signUp } = (await import(join(copy, 'test/support/actors.ts'))) as typeof Actors;
    const person = await signUp(app, 'leaver');
    await app.request('POST', '/v1/invoice-items', { token: person.token, body: { title: 'x', body: 'y' } });
    expect((await app.request('DELETE', '/v1/users/me', { token: person.token })).status).toBe(204);
    expect(await app.sql('SELECT id FROM invoice_items WHERE owner_id = $1', [person.userId])).toEqual([]);
  });
});

describe('a guard is taken out of what was generated [practice 2.4]', () => {
  it(
    'the scope of the policy, the version of the statement: its own tests say so',
    async () => {
      const failures = await changed(
        `${feature}/invoice-item.policy.ts`,
        replacing('scope: ({ userId }) => ({ ownerId: userId })', 'scope: () => ({})'),
        () =>
          changed(
            `${feature}/invoice-items.repository.ts`,
            replacing('{ ...key, AND: invoiceItemPolicy.delete', '{ id: key.id, AND: invoiceItemPolicy.delete'),
            () => failuresOf(['test/invoice-items'], 'never issued|sees nothing of others|scope\\(\\)|older version'),
          ),
      );
      const told = [
        'GET somebody else',
        'PATCH somebody else',
        'DELETE somebody else',
        'lists: sees nothing of others',
        'by its scope() that can() refuses',
        'with the tag of an older version: 412',
      ];
      expect(told.filter((name) => !failures.some((failure) => failure.includes(name)))).toEqual([]);
    },
    minutes,
  );

  it(
    'the permission of a route: the service does not start, and names the handler [A5-6]',
    () =>
      changed(
        `${feature}/invoice-items.controller.ts`,
        replacing('  @Can(invoiceItemPermissions.delete)\n', ''),
        async () => {
          expect(await run('scripts/build.ts')).toMatchObject({ status: 0 });
          const started = await run('dist/main.js', [], { HTTPS_PORT: '0', HTTP_PORT: '0', INTERNAL_PORT: '0' });
          expect(started).toEqual({ status: 1, output: expect.stringContaining('InvoiceItemsController.delete') });
        },
      ),
    minutes,
  );
});

describe('the generator is refused, or fails: nothing is changed [practice 11.1]', () => {
  const unchanged = async (work: () => Promise<Result>, says: string | RegExp) => {
    const before = everything();
    const { status, output } = await work();
    expect([status, output]).toEqual([1, expect.stringMatching(says)]);
    expect(everything()).toEqual(before);
  };

  it('runs for the same name again', () =>
    unchanged(() => generate('resource', 'invoice-item'), /is taken: there is the folder src\/invoice-items/));

  it.each(['../outside', 'Invoice', 'invoice_item', 'invoice--item', '1st', 'x'.repeat(41), "a'; DROP TABLE users"])(
    'is asked for %s, which is no name',
    (name) => unchanged(() => generate('resource', name), 'is no name'),
  );

  it.each(['class', 'order', 'user', 'principal', 'reference'])('is asked for %s, which is reserved', (name) =>
    unchanged(() => generate('resource', name), 'is a reserved word'),
  );

  it.each([
    ['session', 'the model Session'],
    ['role', 'the field User.roles'],
    ['factor', 'the permissions factor:'],
    // With: resources.
    ['resource', 'the route v1/resources'],
    // With: administration.
    ['status', 'the class StatusView'],
    ['problem-type', 'the class ProblemTypeView, the class ProblemTypeListView'],
    // With: invitations.
    ['sent-invitation', 'the class SentInvitationView'],
  ])('is asked for %s, which exists', (name, what) =>
    unchanged(() => generate('resource', name), `is taken: .*${what}`),
  );

  it.each([
    [],
    ['resource'],
    ['controller', 'parcel'],
    ['resource', 'parcel', 'letter'],
    ['resource', 'parcel', '--force'],
  ])('does not understand %s %s %s', (...args) => unchanged(() => generate(...args), 'nothing was changed'));

  it('only tries: says what it would write', async () => {
    const before = everything();
    expect(await generate('resource', 'parcel', '--dry-run')).toEqual({
      status: 0,
      output: expect.stringMatching(/new +src\/parcels\/parcels\.module\.ts/),
    });
    expect(everything()).toEqual(before);
  });

  it('does not find the place for a line: says which', () =>
    changed(
      'src/app.module.ts',
      (text) => text.replace('const features', 'const parts'),
      () =>
        unchanged(
          () => generate('resource', 'parcel'),
          /src\/app\.module\.ts: the place for the new lines is not found/,
        ),
    ));

  it('fails after everything is written: takes all of it back', () =>
    changed(
      'prisma/schema/users.prisma',
      (text) => `${text}\n/// @subject(nobody)\nmodel Wrong {\n  id String @id\n  /// @encrypted\n  secret String\n}\n`,
      () => unchanged(() => generate('resource', 'parcel'), /scripts\/build\.ts failed:[\s\S]*nobody/),
    ));
});
