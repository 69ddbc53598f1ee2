import { execFileSync, spawnSync } from 'node:child_process';
import { appendFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { linkModules } from '../scripts/link-modules.js';

// The recipe of the page on data protection, followed in a copy of the project.

const copy = mkdtempSync(join(tmpdir(), 'recipe-'));
const page = readFileSync('docs/practices/data-protection.md', 'utf8');

/** The code block of that language that follows a text of the page. */
function blockAfter(text: string, language: string): string {
  const rest = page.slice(page.indexOf(text));
  return new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``).exec(rest)?.[1] ?? '';
}

const run = (script: string) =>
  spawnSync(process.execPath, [script], {
    cwd: copy,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], HOME: tmpdir() },
  });

beforeAll(() => {
  for (const path of [
    'src',
    'packages',
    'prisma',
    'scripts',
    'package.json',
    'package-lock.json',
    'prisma.config.ts',
    'tsconfig.json',
    'tsconfig.build.json',
  ]) {
    cpSync(path, join(copy, path), { recursive: true, filter: (source) => !source.includes('generated') });
  }
  linkModules(copy);
});
afterAll(() => rmSync(copy, { recursive: true, force: true }));

describe('recipe: protect one more field [practice 7.3]', () => {
  it('one annotated line and one migration: sealed, plain in code, typed, cut from logs', () => {
    const line = blockAfter('Recipe: protect one more field', 'prisma');
    const schema = join(copy, 'prisma/schema/users.prisma');
    writeFileSync(schema, readFileSync(schema, 'utf8').replace('model User {\n', `model User {\n${line}`));
    mkdirSync(join(copy, 'prisma/migrations/90000000000000_nickname'));
    writeFileSync(
      join(copy, 'prisma/migrations/90000000000000_nickname/migration.sql'),
      blockAfter('Recipe: protect one more field', 'sql'),
    );
    const built = run('scripts/build.ts');
    expect([built.status, built.stderr]).toEqual([0, expect.stringContaining('compiling')]);
    writeFileSync(join(copy, 'probe.mjs'), probe);
    const probed = run('probe.mjs');
    expect([probed.stderr, JSON.parse(probed.stdout || '{}')]).toEqual([
      '',
      { read: 'Ally', sealed: true, refused: '23514', logged: '[redacted]' },
    ]);
    const lock = JSON.parse(readFileSync(join(copy, 'prisma/field-names.lock.json'), 'utf8')) as object;
    expect(JSON.stringify(lock)).toContain('User.nickname');
  }, 120_000);

  it('the annotation is mistyped: the build stops with the line and the fix', () => {
    appendFileSync(
      join(copy, 'prisma/schema/users.prisma'),
      '\n/// @subject(nobody)\nmodel Wrong {\n  id String @id @db.Uuid\n  /// @encrypted\n  secret String\n}\n',
    );
    const built = run('scripts/build.ts');
    const number =
      readFileSync(join(copy, 'prisma/schema/users.prisma'), 'utf8')
        .split('\n')
        .findIndex((text) => text.includes('@subject(nobody)')) + 1;
    expect(built.status).toBe(1);
    expect(built.stderr).toContain('nobody');
    expect(built.stderr).toContain(String(number));
  }, 60_000);

  it('the copy is no part of the project', () => {
    expect(
      execFileSync('git', ['status', '--short', 'prisma/migrations/90000000000000_nickname'], { encoding: 'utf8' }),
    ).toBe('');
  });
});

const probe = `
import 'reflect-metadata';
import pg from 'pg';
import { KeyRing } from '@nestjs-secure-template/field-encryption';
import { purposes } from './dist/common/macs.js';
import { readConfig } from './dist/config/index.js';
import { Database } from './dist/database/index.js';
import { redactValue } from './dist/security/logging/redaction.js';
import { readFileSync } from 'node:fs';

const config = readConfig({ DATA_DIRECTORY: '.data' });
const database = await Database.open(config, await KeyRing.loadOrCreate(config.keyRingFile, purposes));
const data = { email: 'a@example.org', name: 'A', nickname: 'Ally' };
const { id } = await database.client.user.create({ data, select: { id: true } });
const { nickname: read } = await database.client.user.findUniqueOrThrow({ where: { id }, select: { nickname: true } });
const { socketDirectory } = JSON.parse(readFileSync('.data/database.lock', 'utf8'));
const client = new pg.Client({ host: socketDirectory, user: 'postgres', database: 'postgres' });
await client.connect();
const { rows: [row] } = await client.query('SELECT nickname FROM users');
const refused = await client.query("UPDATE users SET nickname = 'plain'").then(() => 'taken', (error) => error.code);
await client.end();
await database.close();
const logged = redactValue({ nickname: 'Ally' }).nickname;
const sealed = /^enc:v1:/.test(row.nickname) && !row.nickname.includes('Ally');
process.stdout.write(JSON.stringify({ read, sealed, refused, logged }));
`;
