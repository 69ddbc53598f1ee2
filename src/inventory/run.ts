import 'reflect-metadata';
import { parseArgs } from 'node:util';
import { ownActions } from '../common/events/security-events.js';
import { inventory } from './index.js';
import { envExample } from './env-example.js';
import { toJson, toMarkdown, toTable } from './print.js';

const help = `Usage: npm run inventory --silent -- [--json | --markdown | --env]

Prints every route with what guards it, as a table; with --env, every variable that the service
reads, as .env.example. Needs no configuration, no keys and no database.
Exit code 1 when a handler declares too little, 2 for other words.
`;

const words = {
  json: { type: 'boolean' },
  markdown: { type: 'boolean' },
  env: { type: 'boolean' },
  help: { type: 'boolean' },
} as const;

try {
  const { values } = parseArgs({ options: words });
  process.stdout.write(values.help === true ? help : print(values));
} catch (error) {
  const { message, code } = error as Error & { code?: string };
  process.stderr.write(`${message}\n`);
  process.exitCode = code?.startsWith('ERR_PARSE_ARGS') === true ? 2 : 1;
}

function print({
  json,
  markdown,
  env,
}: {
  readonly json?: boolean;
  readonly markdown?: boolean;
  readonly env?: boolean;
}): string {
  if (env === true) return envExample();
  const rows = inventory();
  if (json === true) return toJson(rows);
  return markdown === true ? toMarkdown(rows, ownActions()) : toTable(rows);
}
