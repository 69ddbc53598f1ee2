import type { Project } from './project.ts';
import type { Reference } from './relations.ts';

const isSchema = /^prisma\/schema\/.*\.prisma$/;

const modelsIn = (schema: string): string[] => [...schema.matchAll(/^model (\w+) \{/gm)].map(([, name = '']) => name);

/** Names of the models in the schema files that go. */
const goneModels = (project: Project, gone: ReadonlySet<string>): string[] =>
  [...gone].filter((path) => isSchema.test(path)).flatMap((path) => modelsIn(project.text(path)));

/** Tables of the models that go. */
export const goneTables = (project: Project, gone: ReadonlySet<string>): string[] =>
  [...gone]
    .filter((path) => isSchema.test(path))
    .flatMap((path) => [...project.text(path).matchAll(/^ +@@map\("(\w+)"\)/gm)].map(([, table = '']) => table));

/** A field of the model's type, with the comment above it. */
const fieldOf = (model: string): RegExp =>
  new RegExp(String.raw`(?:^ +\/\/\/.*\n)*^ +\w+ +${model}(?:\[\]|\?)?(?: .*)?\n`, 'gm');

/** Models that hold a key of what goes: their rows cannot be without it. */
export function relationsTo(project: Project, gone: ReadonlySet<string>): Reference[] {
  const models = goneModels(project, gone);
  const kept = project.files(isSchema).filter((path) => !gone.has(path));
  return kept.flatMap((path) =>
    models.flatMap((model) =>
      [...project.text(path).matchAll(fieldOf(model))]
        .filter(([field]) => /@relation\([^)]*\bfields:/.test(field))
        .map(({ index }) => ({ from: path, line: project.text(path).slice(0, index).split('\n').length, to: model })),
    ),
  );
}

/** The other side of relations, and the frozen names of sealed fields. */
export function editSchema(project: Project, gone: ReadonlySet<string>): void {
  const models = goneModels(project, gone);
  for (const path of project.files(isSchema).filter((file) => !gone.has(file))) {
    const before = project.text(path);
    const after = models.reduce((text, model) => text.replaceAll(fieldOf(model), ''), before);
    if (after !== before) project.changes.edit(path, () => after);
  }
  const lock = 'prisma/field-names.lock.json';
  if (!project.has(lock)) return;
  const names = Object.entries(JSON.parse(project.text(lock)) as Record<string, string>);
  const kept = names.filter(([field]) => !models.includes(field.split('.')[0] ?? ''));
  if (kept.length === names.length) return;
  project.changes.edit(lock, () => `${JSON.stringify(Object.fromEntries(kept), null, 2)}\n`);
}
