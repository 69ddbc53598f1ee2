import { mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import helper, { type DMMF, type GeneratorOptions } from '@prisma/generator-helper';
import { type Annotation, readAnnotations, SchemaFaults } from './annotations.ts';
import { buildFieldMap } from './build-field-map.ts';
import { checkAnnotations, missedFields } from './check-annotations.ts';
import { freezeNames, readLock, writeLock } from './frozen-names.ts';

// Run by `prisma generate` on plain node, which only strips types: imports end in .ts here, and no enum, no parameter
// property.
function generate({ generator, schemaPath, dmmf }: GeneratorOptions): void {
  const directory = generator.output?.value;
  if (directory === undefined || directory === null)
    throw new Error('field encryption: the generator needs an "output"');
  const { models } = dmmf.datamodel;
  const annotations = acceptedAnnotations(schemaPath, models);
  const encrypted = annotations
    .filter(({ word }) => word === 'encrypted')
    .map(({ model, field }) => `${model}.${field}`);
  const lockFile = join(dirname(schemaPath), 'field-names.lock.json');
  const locked = readLock(lockFile);
  const names = freezeNames(relative(process.cwd(), lockFile), locked, encrypted);
  const map = JSON.stringify(buildFieldMap(models, annotations, names), null, 2);
  mkdirSync(directory, { recursive: true });
  // Renamed when whole: a run that is killed must not leave half a map, which nobody would write again.
  const draft = join(directory, 'index.ts.new');
  writeFileSync(
    draft,
    `// Written by \`prisma generate\` from the schema: do not edit.\n/** Which fields are sealed, and how. */\n` +
      `export const fieldMap = ${map} as const;\n`,
    { flush: true },
  );
  renameSync(draft, join(directory, 'index.ts'));
  writeLock(lockFile, locked, names);
}

/** @throws Error with every fault of the schema files. */
function acceptedAnnotations(schemaPath: string, models: readonly DMMF.Model[]): Annotation[] {
  const faults = new SchemaFaults();
  // From the files, not from what Prisma hands over: that is formatted already, so its lines are others.
  const annotations = schemaFiles(schemaPath).flatMap((file) =>
    readAnnotations(relative(process.cwd(), file), readFileSync(file, 'utf8'), faults),
  );
  checkAnnotations(models, annotations, faults);
  const missed = faults.none ? missedFields(models, annotations) : [];
  for (const field of missed) {
    faults.add(
      { file: relative(process.cwd(), schemaPath), line: 1 },
      `${field} has an annotation that cannot be read`,
      'put it above the field',
    );
  }
  faults.throwIfAny();
  return annotations;
}

function schemaFiles(path: string): string[] {
  if (statSync(path).isFile()) return [path];
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.prisma'))
    .map((name) => join(path, name));
}

helper.generatorHandler({
  onManifest: () => ({ prettyName: 'Field encryption', defaultOutput: '../src/generated/field-encryption' }),
  onGenerate: async (options) => generate(options),
});
