// With: resources.

import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../scripts/free-port.js';
import { signUp, type Actor } from '../support/actors.js';
import { startApp, type TestApp } from '../support/app.js';
import { services } from '../support/profile.js';
import { Edge, Trust } from './edge.js';

/** An instance in a process of its own, on a port that it keeps. */
class Instance {
  private child?: ChildProcess;

  constructor(
    readonly port: number,
    private readonly app: TestApp,
    private readonly trust: Trust,
  ) {}

  async start(): Promise<void> {
    const env = {
      ...this.trust.env,
      PATH: process.env['PATH'] ?? '',
      DATA_DIRECTORY: this.app.dataDirectory,
      DATABASE_URL: this.app.database.url ?? '',
      REDIS_URL: services().redisUrl,
      PUBLIC_URL: this.app.publicUrl,
      HTTPS_PORT: String(this.port),
      HTTP_PORT: '0',
      INTERNAL_PORT: '0',
      RATE_LIMIT_SCALE: '50',
    };
    const child = spawn(process.execPath, ['dist/main.js'], { env, stdio: ['ignore', 'ignore', 'pipe'] });
    this.child = child;
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
    while (!said.includes(`https://localhost:${this.port}`)) {
      if (child.exitCode !== null) throw new Error(`the instance ended: ${said}`);
      await pause(25);
    }
  }

  /** Returns when it is gone. */
  async kill(): Promise<void> {
    const gone = new Promise((done) => this.child?.once('exit', done));
    this.child?.kill('SIGKILL');
    await gone;
  }
}

let trust: Trust;
let app: TestApp;
let edge: Edge;
let alice: Actor;
let instances: Instance[];

beforeAll(async () => {
  trust = await Trust.create();
  app = await startApp({ instances: 1, env: { RATE_LIMIT_SCALE: '50' } });
  alice = await signUp(app, 'alice');
  instances = [new Instance(await freePort(), app, trust), new Instance(await freePort(), app, trust)];
  await Promise.all(instances.map((instance) => instance.start()));
  const ca = readFileSync(join(app.dataDirectory, 'tls', 'ca.crt'), 'utf8');
  edge = await Edge.start({ ports: instances.map(({ port }) => port), ca }, trust);
});
afterAll(async () => {
  await edge?.stop();
  await Promise.all((instances ?? []).map((instance) => instance.kill()));
  await app?.close();
  trust?.remove();
});

interface Sent {
  readonly method: string;
  readonly startedAt: number;
  readonly status: number;
}

/** Asks until it is told to stop: three reads, then a write. */
async function load(isOver: () => boolean): Promise<Sent[]> {
  const sent: Sent[] = [];
  for (let turn = 0; !isOver(); turn++) {
    const method = turn % 4 === 3 ? 'POST' : 'GET';
    const body = method === 'POST' ? { title: 'Load', body: 'x' } : undefined;
    const startedAt = performance.now();
    const status = await edge.request(method, '/v1/resources', { token: alice.token, body }).then(
      (answer) => answer.status,
      () => 0,
    );
    sent.push({ method, startedAt, status });
  }
  return sent;
}

describe('one of two instances is killed under load and comes back [practice 9.1] [practice 11.2]', () => {
  it('no request fails but writes that were under way on it, and each write that was answered is there', async () => {
    let isOver = false;
    const loads = Array.from({ length: 6 }, () => load(() => isOver));
    await pause(1_500);
    await instances[0]?.kill();
    const goneAt = performance.now();
    await pause(1_000);
    await instances[0]?.start();
    await pause(3_000);
    isOver = true;
    const sent = (await Promise.all(loads)).flat();
    const failed = sent.filter(({ status }) => status !== 200 && status !== 201);
    expect(failed.filter(({ method, startedAt }) => method === 'GET' || startedAt > goneAt)).toEqual([]);
    expect(failed.length).toBeLessThanOrEqual(6);
    const [{ count } = { count: 0 }] = await app.sql<{ count: number }>('SELECT count(*)::int AS count FROM resources');
    const written = sent.filter(({ status }) => status === 201).length;
    expect(count - written).toBeGreaterThanOrEqual(0);
    expect(count - written).toBeLessThanOrEqual(failed.length);
    const upstreams = edge.log('access.log').split('\n').slice(-40).join();
    for (const { port } of instances) expect(upstreams).toContain(`:${port}"`);
  });
});
