import { columns, type InventoryRow } from './inventory.js';

/** For programs: a list with one object per route. */
export const toJson = (rows: readonly InventoryRow[]): string => `${JSON.stringify(rows, null, 2)}\n`;

/** For a terminal: aligned columns, at least two spaces between them. */
export const toTable = (rows: readonly InventoryRow[]): string => aligned([[...columns], ...rows.map(cellsOf)]);

/** For docs/inventory.md. */
export const toMarkdown = (rows: readonly InventoryRow[]): string => `${introduction}\n${[[...columns], columns.map(() => '---'), ...rows.map(cellsOf)].map(line).join('')}`;

const introduction = `# Inventory of routes

Generated from what the handlers declare; do not edit it, run \`npm run inventory --silent -- --markdown > docs/inventory.md\`. A test compares it with the
code, so that a new or changed route appears in review. What the columns mean: [authorization](practices/authorization.md#the-inventory).
`;

const cellsOf = (row: InventoryRow): string[] => columns.map((column) => row[column]);

const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |\n`;

/** Lines of cells as columns; also the form of the committed matrix of routes and actors. */
export function aligned(lines: readonly (readonly string[])[]): string {
  const widths = (lines[0] ?? []).map((_, at) => Math.max(...lines.map((cells) => cells[at]?.length ?? 0)));
  return lines.map((cells) => `${cells.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join('  ').trimEnd()}\n`).join('');
}
