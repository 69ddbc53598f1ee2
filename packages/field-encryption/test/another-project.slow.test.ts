import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { PrismaPg } from '@prisma/adapter-pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type * as Library from '../src/index.js';
import { purposes } from './support/purposes.js';
import { Vault } from './support/vault.js';

// The README says how another Prisma 7 project uses the package. This does it, with the README's own schema.
const readme = readFileSync('packages/field-encryption/README.md', 'utf8');
const [schema = ''] = [...readme.matchAll(/```prisma\n([\s\S]*?)```/g)].map(([, block]) => block ?? '');
const others = `
generator client {
  provider            = "prisma-client"
  output              = "generated/prisma"
  importFileExtension = "js"
}
datasource db {
  provider = "postgresql"
}
`;

interface Patients {
  create(args: object): Promise<{ id: string }>;
  findMany(args: object): Promise<unknown[]>;
}
interface PatientClient {
  readonly patient: Patients;
  $disconnect(): Promise<void>;
}

describe('another project with the package and the steps of its README [practice 7.3]', () => {
  const root = mkdtempSync(join(tmpdir(), 'another-'));
  const project = join(root, 'project');
  const installed = join(project, 'node_modules/@nestjs-secure-template/field-encryption');
  let vault: Vault;
  beforeAll(async () => {
    vault = await Vault.open();
    await vault.sql(
      `CREATE TABLE "Patient" (id uuid PRIMARY KEY, number text NOT NULL CHECK (is_sealed_cell(number)),
        "numberIndex" text UNIQUE, "parentId" uuid)`,
    );
    // What the package needs beside itself is found where npm would have put it.
    symlinkSync(resolve('node_modules'), join(root, 'node_modules'));
    mkdirSync(dirname(installed), { recursive: true });
    for (const part of ['package.json', 'tsconfig.json', 'src', 'sql'])
      cpSync(join('packages/field-encryption', part), join(project, 'packages/field-encryption', part), {
        recursive: true,
      });
    symlinkSync(join(project, 'packages/field-encryption'), installed);
    writeFileSync(join(project, 'package.json'), '{ "type": "module" }');
    writeFileSync(join(project, 'schema.prisma'), others + schema);
    const run = (...args: string[]) =>
      promisify(execFile)(process.execPath, args, {
        cwd: project,
        env: { PATH: dirname(process.execPath), PRISMA_SCHEMA_ENGINE_BINARY: process.execPath },
      });
    await run(resolve('node_modules/typescript/bin/tsc'), '-p', 'packages/field-encryption');
    await run(resolve('node_modules/prisma/build/index.js'), 'generate', '--schema', 'schema.prisma');
  }, 120_000);
  afterAll(async () => {
    await vault.close();
    rmSync(root, { recursive: true, force: true });
  });

  it('cells at rest, plaintext in the results, at every depth', async () => {
    const load = async <T>(file: string) => (await import(join(project, file))) as T;
    const { PrismaClient } = await load<{ PrismaClient: new (options: object) => PatientClient }>(
      'generated/prisma/client.ts',
    );
    const { fieldMap } = await load<{ fieldMap: Library.FieldMap }>('generated/field-encryption/index.ts');
    const { KeyRing, protectFields } = await load<typeof Library>('packages/field-encryption/dist/index.js');
    const keyRing = await KeyRing.loadOrCreate(join(project, 'keys.json'), purposes);
    const client = new PrismaClient({ adapter: new PrismaPg(vault.poolConfig) });
    const db = protectFields(client, { fields: fieldMap, keyRing, onFault: () => undefined });
    const numbers = ['756.2', '756.3'];
    await db.patient.create({
      data: { number: '756.1', children: { create: numbers.map((number) => ({ number })) } },
    });
    expect(
      await db.patient.findMany({
        where: { parent: { number: '756.1' } },
        select: { number: true, parent: { select: { number: true } } },
      }),
    ).toEqual(expect.arrayContaining(numbers.map((number) => ({ number, parent: { number: '756.1' } }))));
    expect(await vault.dump()).not.toContain('756.');
    await db.$disconnect();
  });
});
