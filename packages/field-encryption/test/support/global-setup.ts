import { spawnSync } from 'node:child_process';
import { existsSync, globSync, statSync } from 'node:fs';

const schema = 'packages/field-encryption/test/support/schema.prisma';
const generated = 'packages/field-encryption/test/generated/field-encryption/index.ts';
const inputs = [schema, 'packages/field-encryption/src/generator/*.ts', 'package-lock.json'];

/** Makes the Prisma client of these tests when it is older than what it is made from. */
export function setup(): void {
  const made = existsSync(generated) ? statSync(generated).mtimeMs : 0;
  if (globSync(inputs).every((file) => statSync(file).mtimeMs <= made)) return;
  const prisma = ['node_modules/prisma/build/index.js', 'generate', '--schema', schema];
  const { status, stdout, stderr } = spawnSync(process.execPath, prisma, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`prisma generate failed: ${stdout}${stderr}`);
}
