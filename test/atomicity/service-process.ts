import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestApp } from '../support/app.js';
import { send, type Answer, type RequestParts } from '../support/http.js';
import { profile } from '../support/profile.js';

/** One more instance of the service, in a process of its own that can be killed, on a database URL of its own. */
export class ServiceProcess {
  private constructor(
    private readonly app: TestApp,
    private readonly child: ChildProcess,
    private readonly port: number,
  ) {}

  static async start(app: TestApp, databaseUrl: string): Promise<ServiceProcess> {
    const chosen = profile();
    const redis = chosen.name === 'services' ? { REDIS_URL: chosen.redisUrl, PUBLIC_URL: app.publicUrl } : {};
    const ports = {
      HTTPS_PORT: '0',
      HTTP_PORT: '0',
      INTERNAL_PORT: '0',
      ARGON2_MEMORY_KIB: '19456',
      ARGON2_PASSES: '2',
    };
    const env = {
      PATH: process.env['PATH'] ?? '',
      DATA_DIRECTORY: app.dataDirectory,
      DATABASE_URL: databaseUrl,
      ...redis,
      ...ports,
    };
    const child = spawn(process.execPath, ['dist/main.js'], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
    for (;;) {
      const port = /API\s+https:\/\/localhost:(\d+)/.exec(output)?.[1];
      if (port !== undefined) return new ServiceProcess(app, child, Number(port));
      if (child.exitCode !== null) throw new Error(`the service ended with ${child.exitCode}: ${output}`);
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }

  get wasKilled(): boolean {
    return this.child.signalCode === 'SIGKILL';
  }

  /** @returns undefined when the process died before it answered. */
  request(method: string, path: string, parts: RequestParts): Promise<Answer | undefined> {
    const ca = readFileSync(join(this.app.dataDirectory, 'tls', 'ca.crt'), 'utf8');
    return send({ port: this.port, ca }, method, path, parts).catch(() => undefined);
  }

  kill(): void {
    this.child.kill('SIGKILL');
  }
}
