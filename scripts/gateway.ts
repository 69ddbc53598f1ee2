// The configuration of the gateway: made of the declared routes, and looked at before it is used. See the help.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { faultsOf } from './gateway/check.ts';
import { readEdge, type Edge } from './gateway/edge-routes.ts';
import { nginxFiles } from './gateway/nginx.ts';

const exporters: Readonly<Record<string, { files: (edge: Edge) => Readonly<Record<string, string>>; into: string }>> = {
  nginx: { files: nginxFiles, into: 'deploy/gateway/exported' },
};

const help = `npm run gateway:export nginx [-- --into <folder>] [-- --scale <RATE_LIMIT_SCALE>]
  Writes what nginx has to know of the declared routes: paths, methods, limits, the largest body, its own answers.
  A route that it could not tell nginx of is named, and nothing is written.

npm run gateway:check [-- <folder>]
  Asks nginx whether it takes the configuration (deploy/gateway, when no folder is named), and starts nothing.
  What is wrong is said with file, line and fix; the status is then 1.
`;

const { values, positionals } = parseArgs({
  options: { into: { type: 'string' }, scale: { type: 'string' }, help: { type: 'boolean' } },
  allowPositionals: true,
});
const [command, subject] = positionals;
const exporter = exporters[subject ?? ''];
const scale = Number(values.scale ?? 1);

if (values.help === true) process.stdout.write(help);
else if (command === 'check') check(subject ?? 'deploy/gateway');
else if (command === 'export' && exporter !== undefined && Number.isInteger(scale) && scale >= 1) {
  const into = values.into ?? exporter.into;
  await write(into, exporter.files);
} else {
  process.stderr.write(help);
  process.exitCode = 2;
}

async function write(into: string, filesOf: (edge: Edge) => Readonly<Record<string, string>>): Promise<void> {
  try {
    const files = filesOf(await readEdge(scale));
    mkdirSync(into, { recursive: true });
    for (const [name, text] of Object.entries(files)) {
      const path = join(into, name);
      if (readIfThere(path) === text) continue;
      writeFileSync(path, text);
      process.stdout.write(`${path} written\n`);
    }
  } catch (error) {
    fail(error instanceof Error ? error.message : String(error));
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function check(folder: string): void {
  const faults = faultsOf(folder);
  if (faults.length === 0) process.stdout.write(`${folder}: nginx takes it\n`);
  else fail(faults.join('\n'));
}

function fail(message: string): void {
  process.stderr.write(`${message}\n`);
  process.exitCode = 1;
}
