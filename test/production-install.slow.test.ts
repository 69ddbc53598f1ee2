import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { globSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { send, type RequestParts } from './support/http.js';
import { parseMail } from './support/mail.js';
import { freePort } from '../scripts/free-port.js';

// What an attacker who is in finds lying about: compilers, test servers with known keys, packages nobody updates.

interface Entry {
  readonly name?: string;
  readonly version?: string;
  readonly link?: boolean;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly devOptional?: boolean;
}
const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
  packages: Readonly<Record<string, Entry>>;
};
const inProduction = Object.entries(packages).filter(
  ([path, { dev, optional, devOptional }]) => path.startsWith('node_modules/') && !dev && !optional && !devOptional,
);

const root = mkdtempSync(join(tmpdir(), 'production-install-'));
const image = join(root, 'image');
let service: ChildProcess | undefined;

/** The commands of README: the first one builds, which was done before the slow tests. */
const commands = (/```sh\n(npm ci && npm run build\n[\s\S]*?)```/.exec(readFileSync('README.md', 'utf8'))?.[1] ?? '')
  .trim()
  .split('\n')
  .slice(1)
  .map((line) => line.replaceAll('../image', image));

const npm = (...words: string[]): string =>
  execFileSync('npm', words, { cwd: image, encoding: 'utf8', maxBuffer: 2 ** 26 });

/** Paths of what was installed, each with its `package.json`; the packages of this project are links. */
const installed = (): string[] =>
  globSync(
    ['node_modules/{*,@*/*}', 'node_modules/**/node_modules/{*,@*/*}'].map((one) => `${one}/package.json`),
    {
      cwd: image,
    },
  )
    .map((path) => path.replace('/package.json', ''))
    .concat(packagesOfOurs);
const packagesOfOurs = inProduction.filter(([, { link }]) => link === true).map(([path]) => path);

/** As what is on the disk says of itself; npm names a link by its folder. */
function nameAndVersion(path: string): string {
  const { name, version } = JSON.parse(readFileSync(join(image, path, 'package.json'), 'utf8')) as Entry;
  return `${packagesOfOurs.includes(path) ? path.split('/').at(-1) : name}@${version}`;
}

describe('what is installed for production is what runs, and nothing else [A9-6] [ASVS 15.2.3]', () => {
  beforeAll(() => {
    expect(commands).toHaveLength(2);
    for (const command of commands) execFileSync('sh', ['-ec', command], { stdio: ['ignore', 'ignore', 'pipe'] });
  });
  afterAll(async () => {
    if (service?.kill() === true) await once(service, 'exit');
    rmSync(root, { recursive: true, force: true });
  });

  it('has of our files the compiled ones and the SQL: no tests, sources, seeds or benchmarks', () => {
    const ours = readdirSync(image, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !entry.parentPath.includes('/node_modules'))
      .map((entry) => join(entry.parentPath, entry.name).slice(image.length + 1));
    const own = /^(package\.json|package-lock\.json|\.npmrc|prisma\/migrations\/[\w/]+\.(sql|toml)|dist\/\.stamp)$/;
    const compiled = /^(packages\/[\w-]+\/)?dist\/[\w./-]+\.(js|js\.map|d\.ts)$/;
    const ofPackages = /^packages\/[\w-]+\/(package\.json|sql\/[\w.-]+\.sql|dist\/\.stamp)$/;
    expect(ours.filter((path) => ![own, compiled, ofPackages].some((each) => each.test(path)))).toEqual([]);
    expect(ours.filter((path) => /(^|\/)(tests?|bench|seeds?)(\/|\.)|\.test\./.test(path))).toEqual([]);
    expect(ours).toContain('dist/main.js');
  });

  it('has exactly the packages of the lockfile that are for production', () => {
    expect(installed().toSorted()).toEqual(inProduction.map(([path]) => path).toSorted());
    const forDevelopment = ['vitest', 'typescript', 'prisma', 'oxlint', 'smtp-server', '@nestjs/cli'];
    expect(forDevelopment.filter((name) => installed().includes(`node_modules/${name}`))).toEqual([]);
  });

  it('its SBOM lists what is on the disk by name and version, and nothing else [ASVS 15.1.2]', () => {
    // Told to omit what development needs, npm also omits what production needs too.
    npm('pkg', 'delete', 'devDependencies', 'optionalDependencies', '--workspaces', '--include-workspace-root');
    const { components } = JSON.parse(npm('sbom', '--sbom-format=cyclonedx')) as {
      components: Required<Pick<Entry, 'name' | 'version'>>[];
    };
    const listed = new Set(components.map(({ name, version }) => `${name}@${version}`));
    const found = new Set(installed().map(nameAndVersion));
    expect([...listed].toSorted()).toEqual([...found].toSorted());
  });

  it('starts, takes a sign-up, and tells an honest person who they are', async () => {
    const request = await start();
    const email = 'somebody@example.org';
    const password = 'violet harbour counts to nine';
    expect((await request('POST', '/v1/auth/register', { body: { email } })).status).toBe(202);
    const [mail = ''] = await vi.waitFor(() => {
      const found = globSync(join(root, 'data/outbox/*.eml'));
      expect(found).toHaveLength(1);
      return found;
    }, 20_000);
    const token = /\b[\w-]{40,}\b/.exec(parseMail(readFileSync(mail, 'utf8')).text)?.[0];
    const verified = await request('POST', '/v1/auth/email/verify', { body: { token, password, name: 'Somebody' } });
    expect(verified.status).toBe(201);
    const { body } = await request('POST', '/v1/auth/login', { body: { email, password } });
    const me = await request('GET', '/v1/users/me', { token: body.accessToken as string });
    expect([me.status, me.body.email]).toEqual([200, email]);
  });
});

/** Nothing of this tree is on its path. */
async function start() {
  const [https, http, internal] = [await freePort(), await freePort(), await freePort()];
  const data = join(root, 'data');
  const env = { DATA_DIRECTORY: data, HTTPS_PORT: `${https}`, HTTP_PORT: `${http}`, INTERNAL_PORT: `${internal}` };
  service = spawn(process.execPath, ['dist/main.js'], { cwd: image, env, stdio: ['ignore', 'ignore', 'pipe'] });
  let output = '';
  service.stderr?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  await vi.waitFor(() => {
    if (service?.exitCode !== null) throw new Error(output);
    expect(output).toContain('Mailbox');
  }, 60_000);
  const ca = readFileSync(join(data, 'tls', 'ca.crt'), 'utf8');
  return (method: string, path: string, parts: RequestParts = {}) => send({ port: https, ca }, method, path, parts);
}
