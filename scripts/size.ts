// How large the project is, part by part: see the help.
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { application, count, countFile, packages, tests, type Size } from './size/count.ts';
import { essentialPath } from './size/essential-path.ts';

const maxFileLines = 250;
const help = `npm run size [-- --json | --write]

Counts the lines of formatted code, without comments and blank lines.

  essential path  the files of src/ through which ordinary requests run: the service is started on an empty database,
                  a user signs in, reads and changes their account and a resource, is refused three times and renews
                  the session; whatever file has a function that runs meanwhile counts as a whole
  application     src/ without generated code; contains the essential path
  packages        packages/*/src, which other projects can use
  tests           test/ and packages/*/test

Comments are lines that hold nothing else; their share is that of all lines that are not blank.

  --json          the figures, every file of the essential path, and every file over ${maxFileLines} lines
  --write         writes the table into README.md
`;

const budgets: Readonly<Record<string, number>> = { 'essential path': 4_500, 'application': 11_000 };
const readme = 'README.md';
const markers = /(<!-- npm run size -->\n)[\s\S]*?(<!-- end -->)/;

interface Row extends Size {
  readonly part: string;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { json: { type: 'boolean' }, write: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
  });
  if (values.help === true) return print(help);
  const essential = await essentialPath();
  const rows: Row[] = [
    { part: 'essential path', ...count(essential) },
    { part: 'application', ...count(application) },
    { part: 'packages', ...count(packages) },
    { part: 'tests', ...count(tests) },
  ];
  const files = [...application, ...packages, ...tests].map((path) => ({ path, ...countFile(path) }));
  const largest = files.toSorted((a, b) => b.lines - a.lines);
  const tooLarge = largest.filter(({ lines }) => lines > maxFileLines);
  if (values.json === true) return print(`${JSON.stringify({ rows, essential, tooLarge }, undefined, 2)}\n`);
  if (values.write === true) return write(rows);
  print(
    [
      table(rows),
      ...rows.flatMap(overBudget),
      '',
      'The largest files of the application:',
      ...largest
        .filter(({ path }) => path.startsWith('src/'))
        .slice(0, 10)
        .map(line),
      '',
      `Over ${maxFileLines} lines: ${tooLarge.length === 0 ? 'none' : ''}`,
      ...tooLarge.map(line),
      '',
    ].join('\n'),
  );
}

const print = (text: string): void => void process.stdout.write(text);
const line = ({ path, lines }: { path: string; lines: number }) => `${String(lines).padStart(6)}  ${path}`;
const number = (value: number) => value.toLocaleString('en');

function table(rows: readonly Row[]): string {
  const cells = rows.map(({ part, files, lines, comments }) => {
    const share = lines + comments === 0 ? 0 : Math.round((100 * comments) / (lines + comments));
    return `| ${part} | ${number(files)} | ${number(lines)} | ${share} % |`;
  });
  return ['| part | files | lines of code | comments |', '|---|--:|--:|--:|', ...cells].join('\n');
}

function overBudget({ part, lines }: Row): string[] {
  const budget = budgets[part];
  if (budget === undefined) return [];
  const over = lines - budget;
  const difference = `${number(Math.abs(over))} lines ${over > 0 ? 'over' : 'within'}`;
  return [`${part}: ${difference} the budget of ${number(budget)}`];
}

function write(rows: readonly Row[]): void {
  const text = readFileSync(readme, 'utf8');
  if (!markers.test(text)) throw new Error(`${readme} lacks the lines <!-- npm run size --> and <!-- end -->`);
  writeFileSync(
    readme,
    text.replace(markers, (_, begin: string, end: string) => `${begin}${table(rows)}\n${end}`),
  );
}

await main();
process.exit(0);
