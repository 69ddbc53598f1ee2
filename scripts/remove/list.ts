import { aligned } from '../../src/common/aligned.ts';
import { countFile } from '../size/count.ts';
import { belongings, type Part } from './parts.ts';
import type { Project } from './project.ts';
import { findRelations } from './relations.ts';

interface Row {
  readonly part: Part;
  readonly lines: number;
  readonly neededBy: readonly string[];
  readonly usedAt?: string;
}

/** Every part that can be removed, what it needs, what needs it, its lines; then those that stay, and why. */
export function listParts(project: Project, parts: readonly Part[]): string {
  const rows = parts.map((part) => rowOf(part, parts, project));
  const needsOf = ({ name }: Part) => rows.flatMap(({ part, neededBy }) => (neededBy.includes(name) ? part.name : []));
  const removable = rows.filter(({ part }) => part.ground === undefined);
  const table = [
    ['part', 'lines', 'needs', 'needed by'],
    ...removable.map(({ part, lines, neededBy }) => [
      part.name,
      String(lines),
      needsOf(part).join(', ') || '-',
      neededBy.join(', ') || '-',
    ]),
  ];
  const staying = rows.flatMap(({ part: { name, ground } }) => (ground === undefined ? [] : [[name, ground]]));
  return `${aligned(table)}\nStay:\n${aligned(staying)}`;
}

function rowOf(part: Part, parts: readonly Part[], project: Project): Row {
  const { dependents } = findRelations(project, parts, [part]);
  const sources = belongings(part, project).filter((path) => path.startsWith('src/') || path.startsWith('packages/'));
  const lines = sources.filter((path) => path.endsWith('.ts')).reduce((sum, path) => sum + countFile(path).lines, 0);
  return { part, lines, neededBy: [...dependents.keys()].map(({ name }) => name) };
}
