import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { ChangeSet } from '../change-set.ts';
import { insertAtEndOf, insertImport } from './edits.ts';
import { matrixOf } from './matrix.ts';
import { fill, type Names } from './names.ts';

const templates = join(import.meta.dirname, '../templates/resource');
const userSchema = 'prisma/schema/users.prisma';
const appModule = 'src/app.module.ts';
/** Written by the inventory itself, when the rest is there. */
export const inventory = 'docs/inventory.md';

/**
 * All files of a new feature, and the lines that make it part of the service. Nothing is written.
 * @throws Error when the name is taken, or a file is not as expected.
 */
export function planResource(names: Names, now: Date): ChangeSet {
  const files = globSync('files/**/*.tmpl', { cwd: templates })
    .toSorted()
    .map((file): [file: string, text: string] => [
      fill(relative('files', file).replace(/\.tmpl$/, ''), names),
      template(file, names),
    ]);
  refuseTaken(
    names,
    files.flatMap(([, text]) => [...text.matchAll(/^export class (\w+)/gm)].map(([, name = '']) => name)),
  );
  const changes = new ChangeSet();
  for (const [file, text] of files) changes.create(file, text);
  changes.create(
    `prisma/migrations/${nextMigration(now)}_${names.snakes}/migration.sql`,
    template('migration.sql.tmpl', names),
  );
  editSchema(changes, names);
  editSource(changes, names);
  editTests(changes, names);
  changes.include(inventory);
  return changes;
}

const template = (file: string, names: Names): string => fill(readFileSync(join(templates, file), 'utf8'), names);

function editSchema(changes: ChangeSet, names: Names): void {
  const { pascal, camels } = names;
  changes.edit(userSchema, (text) => insertAtEndOf(text, 'model User {\n', `  ${camels} ${pascal}[]\n`, '\n  @@map'));
  // The name under which the note is sealed, for as long as there are cells of it.
  changes.edit('prisma/field-names.lock.json', (text) => {
    const locked = Object.entries({
      ...(JSON.parse(text) as Record<string, string>),
      [`${pascal}.note`]: `${pascal}.note`,
    });
    const sorted = locked.toSorted(([one], [other]) => (one < other ? -1 : 1));
    return `${JSON.stringify(Object.fromEntries(sorted), null, 2)}\n`;
  });
}

function editSource(changes: ChangeSet, names: Names): void {
  const { kebabs, pascals } = names;
  changes.edit(appModule, (text) => {
    const imported = insertImport(text, `${pascals}Module`, `./${kebabs}/index.js`);
    return insertAtEndOf(imported, 'const features = [\n', `  ${pascals}Module,\n`, '  // Yours below.');
  });
}

function editTests(changes: ChangeSet, { kebabs }: Names): void {
  const another = readFileSync('test/support/sample/matrix.txt', 'utf8');
  changes.create(`test/${kebabs}/matrix.txt`, matrixOf(`/v1/${kebabs}`, another));
}

/** After all that are there: migrations run in the order of their names. */
function nextMigration(now: Date): string {
  const stamps = readdirSync('prisma/migrations').flatMap((name) => /^\d{14}/.exec(name)?.[0] ?? []);
  const last = stamps.toSorted().at(-1) ?? '';
  const stamp = now.toISOString().replaceAll(/\D/g, '').slice(0, 14);
  return stamp > last ? stamp : String(BigInt(last) + 1n);
}

/** @throws Error that says what has the name already, or the name of a class to be. */
function refuseTaken({ kebab, kebabs, pascal, camels, snakes }: Names, classes: readonly string[]): void {
  const all = (pattern: string) =>
    globSync(pattern, { exclude: ['src/generated/**'] })
      .map((file) => readFileSync(file, 'utf8'))
      .join('\n');
  const models = all('prisma/schema/*.prisma');
  const sources = all('src/**/*.ts');
  const user = /^model User \{\n[\s\S]*?^\}/m.exec(models)?.[0] ?? '';
  const taken = Object.entries({
    [`the folder src/${kebabs}`]: existsSync(`src/${kebabs}`),
    [`the folder test/${kebabs}`]: existsSync(`test/${kebabs}`),
    [`the model ${pascal}`]: new RegExp(String.raw`^(?:model|enum|type) ${pascal}\b`, 'm').test(models),
    [`the field User.${camels}`]: new RegExp(String.raw`^ +${camels}\b`, 'm').test(user),
    [`the table ${snakes}`]: new RegExp(String.raw`\bCREATE TABLE (?:\w+ )*${snakes}\b`).test(
      all('prisma/migrations/*/migration.sql'),
    ),
    [`the permissions ${kebab}:…`]: sources.includes(`definePermissions('${kebab}'`),
    [`the route v1/${kebabs}`]: new RegExp(String.raw`'/?v1/${kebabs}\b`).test(all('src/**/*.controller.ts')),
    // The document of the API has one schema for a name, whichever folder a class is in.
    ...Object.fromEntries(
      classes.map((name) => [`the class ${name}`, new RegExp(String.raw`\bclass ${name}\b`).test(sources)]),
    ),
    [`the section ${camels} of the personal-data export`]: sources.includes(`defineExportSection('${camels}'`),
  });
  const what = taken.filter(([, exists]) => exists).map(([thing]) => thing);
  if (what.length > 0) throw new Error(`"${kebab}" is taken: there is ${what.join(', ')}`);
}
