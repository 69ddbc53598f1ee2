import { aligned } from '../common/aligned.js';
import { columns, type InventoryRow } from './inventory.js';

/** For programs: a list with one object per route. */
export const toJson = (rows: readonly InventoryRow[]): string => `${JSON.stringify(rows, null, 2)}\n`;

/** For a terminal: aligned columns, at least two spaces between them. */
export const toTable = (rows: readonly InventoryRow[]): string => aligned([[...columns], ...rows.map(cellsOf)]);

/** For docs/inventory.md. @param actions security actions that the OWASP vocabulary does not have. */
export const toMarkdown = (rows: readonly InventoryRow[], actions: readonly string[]): string =>
  `${introduction}\n${[[...columns], columns.map(() => '---'), ...rows.map(cellsOf)].map(line).join('')}` +
  `${ownWords}\n${actions.map((name) => `- \`${name}\`\n`).join('')}`;

const introduction = `# Inventory of routes

Generated from what the handlers declare; do not edit it, run
\`npm run inventory --silent -- --markdown > docs/inventory.md\`. A test compares it with the code, so that a new or
changed route appears in review. What the columns mean: [authorization](practices/authorization.md#the-inventory).
`;

const ownWords = `
## Security actions

What the trail and the log say beside the names of the OWASP logging vocabulary ([audit](practices/audit.md)):
`;

const cellsOf = (row: InventoryRow): string[] => columns.map((column) => row[column]);

const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |\n`;
