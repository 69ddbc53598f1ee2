import { execFile } from 'node:child_process';
import { copyFileSync, globSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

const patientModels = `
/// @subject(id)
model Patient {
  id          String  @id @default(uuid(7)) @db.Uuid
  /// @encrypted
  /// @blindIndex(numberIndex)
  number      String
  numberIndex String? @unique @map("number_index")
  visits      Visit[]
  @@map("patients")
}
/// @subject(patientId)
model Visit {
  id        String  @id @default(uuid(7)) @db.Uuid
  patientId String  @map("patient_id") @db.Uuid
  /// @encrypted
  finding   String
  patient   Patient @relation(fields: [patientId], references: [id], onDelete: Cascade)
  @@map("visits")
}
`;
/** The migration that a feature would bring. */
export const patientTables = `
  CREATE TABLE patients (id uuid PRIMARY KEY, number text NOT NULL CHECK (is_sealed_cell(number)),
    number_index text UNIQUE);
  CREATE TABLE visits (id uuid PRIMARY KEY, patient_id uuid NOT NULL REFERENCES patients (id) ON DELETE CASCADE,
    finding text NOT NULL CHECK (is_sealed_cell(finding)));
  CREATE CONSTRAINT TRIGGER patients_drop_data_key AFTER DELETE ON patients DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION drop_data_key_of_subject('id');`;

let made: Promise<string> | undefined;

/** A module that `prisma generate` makes of the schema of the project with patients beside it. */
export const generated = async (file: string): Promise<object> =>
  import(join(await (made ??= generate()), file)) as Promise<object>;

export async function removeSecondSchema(): Promise<void> {
  if (made !== undefined) rmSync(await made, { recursive: true });
}

async function generate(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'second-schema-'));
  const schema = globSync('prisma/schema/*.prisma')
    .map((file) => readFileSync(file, 'utf8'))
    .join('\n')
    .replace('"../../src/generated/prisma"', '"prisma"')
    .replace('"../../src/generated/field-encryption"', '"field-encryption"')
    .replace('"node packages/', `"${process.execPath} ${resolve('packages')}/`);
  writeFileSync(join(folder, 'schema.prisma'), schema + patientModels);
  copyFileSync('prisma/field-names.lock.json', join(folder, 'field-names.lock.json'));
  symlinkSync(resolve('node_modules'), join(folder, 'node_modules'));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  await promisify(execFile)(process.execPath, [
    'node_modules/prisma/build/index.js',
    'generate',
    '--schema',
    join(folder, 'schema.prisma'),
  ]);
  return folder;
}
