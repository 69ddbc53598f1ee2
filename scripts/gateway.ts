// The configuration of the gateway: made of the declared routes, and looked at before it is used. See the help.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { apigeeFiles } from './gateway/apigee.ts';
import { awsFiles } from './gateway/aws.ts';
import { faultsOf } from './gateway/check.ts';
import { readEdge, type Edge } from './gateway/edge-routes.ts';
import { kongFiles } from './gateway/kong.ts';
import { nginxFiles } from './gateway/nginx.ts';
import type { Exporter } from './gateway/vendors.ts';

const nginx = { files: nginxFiles, into: 'deploy/gateway/exported' };
const vendors: Readonly<Record<string, Exporter>> = { kong: kongFiles, aws: awsFiles, apigee: apigeeFiles };

const help = `npm run gateway:export nginx [-- --into <folder>] [-- --scale <RATE_LIMIT_SCALE>]
  Writes what nginx has to know of the declared routes: paths, methods, limits, the largest body, its own answers.
  A route that it could not tell nginx of is named, and nothing is written.

npm run gateway:export kong|aws|apigee -- --into <folder> --upstream <https://...>
    [--origin <https://...>]... [--scale <RATE_LIMIT_SCALE>]
  Writes for Kong (kong.json), API Gateway of AWS (template.json) or Apigee (apiproxy/) what each can say of the routes,
  with the address of the service and the origins of CORS_ORIGINS. docs/practices/gateway.md says what was run of it.

npm run gateway:check [-- <folder>]
  Asks nginx whether it takes the configuration (deploy/gateway, when no folder is named), and starts nothing.
  What is wrong is said with file, line and fix; the status is then 1.
`;

const { values, positionals } = parsed();
const [command, subject = ''] = positionals;
const { into = subject === 'nginx' ? nginx.into : undefined, upstream, origin = [] } = values;
const scale = Number(values.scale ?? 1);
const files = filesOf();

if (values.help === true) process.stdout.write(help);
else if (command === 'check') check(subject === '' ? 'deploy/gateway' : subject);
else if (command === 'export' && files !== undefined && into !== undefined && Number.isInteger(scale) && scale >= 1)
  await write(into, files);
else misused();

function parsed() {
  const options = {
    into: { type: 'string' },
    scale: { type: 'string' },
    upstream: { type: 'string' },
    origin: { type: 'string', multiple: true },
    help: { type: 'boolean' },
  } as const;
  try {
    return parseArgs({ options, allowPositionals: true });
  } catch {
    return misused();
  }
}

/** What is to be written, or nothing where an option is missing or wrong. */
function filesOf(): ((edge: Edge) => Readonly<Record<string, string>>) | undefined {
  if (subject === 'nginx') return upstream === undefined && origin.length === 0 ? nginx.files : undefined;
  const exporter = Object.hasOwn(vendors, subject) ? vendors[subject] : undefined;
  const isComplete = upstream !== undefined && [upstream, ...origin].every(isOrigin);
  return exporter === undefined || !isComplete ? undefined : (edge) => exporter(edge, { upstream, origins: origin });
}

/** Of HTTPS, without a path: Kong would read anything else in an origin as a pattern. */
function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text && text.startsWith('https://');
}

function misused(): never {
  process.stderr.write(help);
  // eslint-disable-next-line unicorn/no-process-exit -- a command
  process.exit(2);
}

async function write(into: string, made: (edge: Edge) => Readonly<Record<string, string>>): Promise<void> {
  try {
    const texts = made(await readEdge(scale));
    for (const [name, text] of Object.entries(texts)) {
      const path = join(into, name);
      if (readIfThere(path) === text) continue;
      mkdirSync(dirname(path), { recursive: true });
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
