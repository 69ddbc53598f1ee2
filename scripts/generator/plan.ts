import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { ChangeSet } from './change-set.ts';
import { insertAtEndOf, insertImport, replaceOnce } from './edits.ts';
import { withRoutes } from './matrix.ts';
import { fill, type Names } from './names.ts';

const templates = join(import.meta.dirname, '../templates/resource');
const schema = 'prisma/schema.prisma';
const appModule = 'src/app.module.ts';
/** Written by the inventory itself, when the rest is there. */
export const inventory = 'docs/inventory.md';
const exportView = 'src/users/export.view.ts';

/**
 * All files of a new feature, and the lines that make it part of the service. Nothing is written.
 * @throws Error when the name is taken, or a file is not as expected.
 */
export function planResource(names: Names, now: Date): ChangeSet {
  const files = globSync('files/**/*.tmpl', { cwd: templates }).toSorted().map((file): [file: string, text: string] => [
    fill(relative('files', file).replace(/\.tmpl$/, ''), names),
    template(file, names),
  ]);
  refuseTaken(names, files.flatMap(([, text]) => [...text.matchAll(/^export class (\w+)/gm)].map(([, name = '']) => name)));
  const changes = new ChangeSet();
  for (const [file, text] of files) changes.create(file, text);
  changes.create(`prisma/migrations/${nextMigration(now)}_${names.snakes}/migration.sql`, template('migration.sql.tmpl', names));
  editSchema(changes, names);
  editSource(changes, names);
  editTests(changes, names);
  changes.include(inventory);
  return changes;
}

const template = (file: string, names: Names): string => fill(readFileSync(join(templates, file), 'utf8'), names);

function editSchema(changes: ChangeSet, names: Names): void {
  const { pascal, camels } = names;
  changes.edit(schema, (text) => insertAtEndOf(text, 'model User {\n', `  ${camels} ${pascal}[]\n`, '\n  @@map') + template('model.prisma.tmpl', names));
  // The name under which the note is sealed, for as long as there are cells of it.
  changes.edit('prisma/field-names.lock.json', (text) => {
    const locked = Object.entries({ ...(JSON.parse(text) as Record<string, string>), [`${pascal}.note`]: `${pascal}.note` });
    return `${JSON.stringify(Object.fromEntries(locked.toSorted(([one], [other]) => (one < other ? -1 : 1))), null, 2)}\n`;
  });
}

function editSource(changes: ChangeSet, names: Names): void {
  const { kebab, kebabs, pascal, pascals, camel, camels, phrases } = names;
  changes.edit('src/common/permissions.ts', (text) => {
    const objects = { create: 'new', read: `${camel}Policy.read`, update: `${camel}Policy.update`, delete: `${camel}Policy.delete` };
    const lines = Object.entries(objects).map(([act, about]) => `  '${kebab}:${act}': { objects: '${about}', roles: ['user'] },\n`);
    return insertAtEndOf(text, 'export const permissions = {\n', lines.join(''));
  });
  changes.edit(appModule, (text) => {
    const imported = insertImport(text, `${pascals}Module`, `./${kebabs}/index.js`);
    return insertAtEndOf(imported, 'const features = [\n', `  ${pascals}Module,\n`, ']');
  });
  changes.edit(exportView, (text) => {
    const imported = insertImport(text, `${pascal}View`, `../${kebabs}/index.js`);
    const section = `\n  @ViewField({ view: () => ${pascal}View, many: true, description: 'Own ${phrases}, with notes.' })\n  ${camels}?: unknown;\n`;
    return insertAtEndOf(imported, 'export class ExportView ', section);
  });
  changes.edit('.dependency-cruiser.mjs', (text) => replaceOnce(text, "const feature = '^src/(", `const feature = '^src/(${kebabs}|`));
}

function editTests(changes: ChangeSet, { kebabs, pascal, camel, camels }: Names): void {
  changes.edit('test/users/declared-export.test.ts', (text) =>
    insertAtEndOf(text, 'const sectionOf: Readonly<Record<string, string>> = {\n', `  ${pascal}: '${camels}',\n`),
  );
  changes.edit('test/security/authorization/matrix.calls.ts', (text) => {
    const imported = insertImport(text, `${camel}Calls`, `../../${kebabs}/${kebabs}.calls.js`);
    return insertAtEndOf(imported, 'export const calls: Readonly<Record<string, Call>> = {\n', `  ...${camel}Calls,\n`);
  });
  changes.edit('test/security/authorization/matrix.txt', (text) => withRoutes(text, `/v1/${kebabs}`));
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
  const all = (pattern: string) => globSync(pattern, { exclude: ['src/generated/**'] }).map((file) => readFileSync(file, 'utf8')).join('\n');
  const models = readFileSync(schema, 'utf8');
  const sources = all('src/**/*.ts');
  const user = /^model User \{\n[\s\S]*?^\}/m.exec(models)?.[0] ?? '';
  const taken = Object.entries({
    [`the folder src/${kebabs}`]: existsSync(`src/${kebabs}`),
    [`the folder test/${kebabs}`]: existsSync(`test/${kebabs}`),
    [`the model ${pascal}`]: new RegExp(String.raw`^(?:model|enum|type) ${pascal}\b`, 'm').test(models),
    [`the field User.${camels}`]: new RegExp(String.raw`^ +${camels}\b`, 'm').test(user),
    [`the table ${snakes}`]: new RegExp(String.raw`\bCREATE TABLE (?:\w+ )*${snakes}\b`).test(all('prisma/migrations/*/migration.sql')),
    [`the permissions ${kebab}:…`]: readFileSync('src/common/permissions.ts', 'utf8').includes(`'${kebab}:`),
    [`the route v1/${kebabs}`]: new RegExp(String.raw`'/?v1/${kebabs}\b`).test(all('src/**/*.controller.ts')),
    // The document of the API has one schema for a name, whichever folder a class is in.
    ...Object.fromEntries(classes.map((name) => [`the class ${name}`, new RegExp(String.raw`\bclass ${name}\b`).test(sources)])),
    [`the section ${camels} of the personal-data export`]: new RegExp(String.raw`^ +${camels}\b`, 'm').test(readFileSync(exportView, 'utf8')),
  });
  const what = taken.filter(([, exists]) => exists).map(([thing]) => thing);
  if (what.length > 0) throw new Error(`"${kebab}" is taken: there is ${what.join(', ')}`);
}
