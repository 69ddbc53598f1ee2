import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { PrismaPg } from '@prisma/adapter-pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FieldMap } from '../../../src/security/data-protection/field-encryption/field-map.js';
import type { protectFields as ProtectFields } from '../../../src/security/data-protection/field-encryption/protect-fields.js';
import type { KeyRing as KeyRingClass } from '../../../src/security/data-protection/key-ring.js';
import { Vault } from './support.js';

// The folder's README says how to copy it to another Prisma 7 project. This does it, with another schema, and runs it.
const schema = `
generator client {
  provider            = "prisma-client"
  output              = "src/prisma"
  importFileExtension = "js"
}
generator fieldEncryption {
  provider = "node src/data-protection/generator/main.ts"
  output   = "src/field-encryption"
}
datasource db {
  provider = "postgresql"
}
/// @subject(id)
model Patient {
  id        String  @id
  /// @encrypted
  /// @blindIndex(numberIndex)
  number    String
  numberIndex String?
  parentId  String?
  parent    Patient?  @relation("family", fields: [parentId], references: [id])
  children  Patient[] @relation("family")
}
model DataKey {
  id          String    @id @db.Uuid
  purpose     String
  subject     String
  wrapper     String
  wrappingKey String    @map("wrapping_key")
  wrapped     String?
  state       String    @default("active")
  @@map("data_keys")
}
`;
const copied = ['field-encryption', 'generator', 'key-ring.ts', 'key-ring.format.ts', 'purposes.ts'];

interface Patients {
  create(args: object): Promise<{ id: string }>;
  findMany(args: object): Promise<unknown[]>;
}
interface PatientClient {
  readonly patient: Patients;
  $disconnect(): Promise<void>;
}

describe('the folder copied to another Prisma project [practice 7.3]', () => {
  const project = mkdtempSync(join(tmpdir(), 'copied-'));
  let vault: Vault;
  beforeAll(async () => {
    vault = await Vault.open();
    await vault.sql('CREATE TABLE "Patient" (id text PRIMARY KEY, number text NOT NULL, "numberIndex" text, "parentId" text)');
    mkdirSync(join(project, 'src/data-protection'), { recursive: true });
    for (const name of copied) cpSync(join('src/security/data-protection', name), join(project, 'src/data-protection', name), { recursive: true });
    symlinkSync(resolve('node_modules'), join(project, 'node_modules'));
    writeFileSync(join(project, 'package.json'), '{ "type": "module" }');
    writeFileSync(join(project, 'schema.prisma'), schema);
    const env = {
      ...process.env,
      PRISMA_SCHEMA_ENGINE_BINARY: process.execPath,
      PATH: `${dirname(process.execPath)}${delimiter}${process.env['PATH'] ?? ''}`,
    };
    await promisify(execFile)(process.execPath, ['node_modules/prisma/build/index.js', 'generate', '--schema', 'schema.prisma'], { cwd: project, env });
  }, 120_000);
  afterAll(async () => {
    await vault.close();
    rmSync(project, { recursive: true, force: true });
  });

  it('needs the files that the README names, the schema lines and one call: cells at rest, plaintext in the results', async () => {
    const load = async <T>(file: string) => (await import(join(project, 'src', file))) as T;
    const { PrismaClient } = await load<{ PrismaClient: new (options: object) => PatientClient }>('prisma/client.ts');
    const { fieldMap } = await load<{ fieldMap: FieldMap }>('field-encryption/index.ts');
    const { protectFields } = await load<{ protectFields: typeof ProtectFields }>('data-protection/field-encryption/protect-fields.ts');
    const { KeyRing } = await load<{ KeyRing: typeof KeyRingClass }>('data-protection/key-ring.ts');
    const keyRing = await KeyRing.loadOrCreate(join(project, 'keys.json'));
    const client = new PrismaClient({ adapter: new PrismaPg(vault.poolConfig) });
    const db = protectFields(client, { fields: fieldMap, keyRing, onFault: () => undefined });
    await db.patient.create({ data: { id: 'p1', number: '756.1', children: { create: [{ id: 'p2', number: '756.2' }, { id: 'p3', number: '756.3' }] } } });
    expect(await db.patient.findMany({ where: { parent: { number: '756.1' } }, select: { number: true, parent: { select: { number: true } } }, orderBy: { id: 'asc' } })).toEqual([
      { number: '756.2', parent: { number: '756.1' } },
      { number: '756.3', parent: { number: '756.1' } },
    ]);
    expect(await vault.dump()).not.toContain('756.');
    await db.$disconnect();
  });
});
