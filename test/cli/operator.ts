import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestApp } from '../support/app.js';
import { profile } from '../support/profile.js';

interface RingKey {
  readonly id: string;
  readonly purpose: string;
  readonly state: string;
  readonly secret: string;
}

/** Runs commands as operators do: processes of their own, beside the running service, with its configuration. */
export class Operator {
  private readonly children: ChildProcess[] = [];

  constructor(private readonly app: TestApp) {}

  start(...args: string[]) {
    const chosen = profile();
    const services =
      chosen.name === 'services'
        ? { DATABASE_URL: this.app.database.url ?? '', REDIS_URL: chosen.redisUrl, PUBLIC_URL: this.app.publicUrl }
        : {};
    const env = { PATH: process.env['PATH'] ?? '', DATA_DIRECTORY: this.app.dataDirectory, ...services };
    const child = spawn(process.execPath, ['dist/cli/main.js', ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.children.push(child);
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
    const exit = new Promise<number | null>((resolve) => child.once('exit', resolve));
    return { child, exit, output: () => output };
  }

  async run(...args: string[]): Promise<{ code: number | null; output: string }> {
    const { exit, output } = this.start(...args);
    return { code: await exit, output: output() };
  }

  ringFile(): string {
    return readFileSync(join(this.app.dataDirectory, 'keys.json'), 'utf8');
  }

  keys(): readonly RingKey[] {
    return (JSON.parse(this.ringFile()) as { keys: RingKey[] }).keys;
  }

  active(purpose: string): string {
    return this.keys().find((key) => key.purpose === purpose && key.state === 'active')?.id ?? '';
  }

  close(): void {
    for (const child of this.children) child.kill('SIGKILL');
  }
}
