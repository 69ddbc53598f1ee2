import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { linkModules } from '../link-modules.ts';

/** What a step of a check said, when it failed. */
export type Failure = string | undefined;

const minute = 60_000;
/** Kept from one trial to the next: whoever makes these sees by itself what is out of date. */
const made = new Set(['node_modules', 'dist', 'generated']);

/** A copy of the project, in which parts are taken away without a risk to the original. */
export class Copy {
  readonly directory = mkdtempSync(join(tmpdir(), 'without-'));

  private readonly files: readonly string[];

  /** @param files of the project, as paths below it. */
  constructor(files: readonly string[]) {
    this.files = files;
    this.reset();
    linkModules(this.directory);
  }

  /** Gives back what a trial took away, and takes away what it left. */
  reset(): void {
    const wanted = new Set(this.files);
    for (const path of filesIn(this.directory)) if (!wanted.has(path)) rmSync(this.path(path));
    for (const path of this.files) {
      const copy = this.path(path);
      if (isSame(path, copy)) continue;
      mkdirSync(dirname(copy), { recursive: true });
      cpSync(path, copy, { preserveTimestamps: true });
    }
  }

  delete(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** A script of the copy. */
  run(script: string, ...args: readonly string[]): Promise<Failure> {
    return this.start(process.execPath, [script, ...args]);
  }

  /** A program of an installed package. */
  program(name: string, ...args: readonly string[]): Promise<Failure> {
    return this.start(resolve('node_modules/.bin', name), args);
  }

  /** A line as a person types it, who is not CI. */
  shell(line: string): Promise<Failure> {
    return this.start('sh', ['-c', `unset CI; ${line}`]);
  }

  /** Without the rules that need types, which take ten times as long and have seen every file that stays as it was. */
  quickLint(): Promise<Failure> {
    const config = JSON.parse(readFileSync(this.path('.oxlintrc.json'), 'utf8')) as { readonly options: object };
    writeFileSync(this.path('.oxlintrc.quick.json'), JSON.stringify({ ...config, options: { typeAware: false } }));
    return this.program('oxlint', '--config', '.oxlintrc.quick.json');
  }

  private path(path: string): string {
    return join(this.directory, path);
  }

  private async start(program: string, args: readonly string[]): Promise<Failure> {
    const { code, output } = await this.end(program, args, { CI: 'true', NO_COLOR: '1' });
    return code === 0 ? undefined : `${program} ${args.join(' ')}\n${output}`;
  }

  /** Starts the service until it listens, and stops it: both have to succeed. */
  async boot(): Promise<Failure> {
    const ports = { HTTPS_PORT: '0', HTTP_PORT: '0', INTERNAL_PORT: '0', DATA_DIRECTORY: '.data' };
    const { code, output } = await this.end(process.execPath, ['dist/main.js'], ports, 'https://');
    return code === 0 && output.includes('https://') ? undefined : output;
  }

  /** @param stopAt the program is stopped once it has said this. */
  private async end(
    program: string,
    args: readonly string[],
    more: Readonly<Record<string, string>>,
    stopAt?: string,
  ): Promise<{ readonly code: number | null; readonly output: string }> {
    const child = spawn(program, args, {
      cwd: this.directory,
      env: environment(more),
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 20 * minute,
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => {
        output += chunk.toString();
        if (stopAt !== undefined && output.includes(stopAt)) child.kill();
      });
    const code = await new Promise<number | null>((done, fail) => child.once('close', done).once('error', fail));
    return { code, output };
  }
}

function filesIn(root: string, folder = ''): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (made.has(entry.name)) return [];
    return entry.isDirectory() ? filesIn(root, path) : [path];
  });
}

function isSame(path: string, copy: string): boolean {
  const there = statSync(copy, { throwIfNoEntry: false });
  if (there === undefined) return false;
  const { size, mtimeMs } = statSync(path);
  return there.size === size && Math.abs(there.mtimeMs - mtimeMs) < 1;
}

/** Without the servers and settings of whoever runs the check. */
function environment(more: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const path = [resolve('node_modules/.bin'), dirname(process.execPath), process.env['PATH']].join(delimiter);
  return { PATH: path, HOME: process.env['HOME'], ...more };
}
