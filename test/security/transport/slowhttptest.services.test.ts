import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { Server } from 'node:net';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { limits } from '../../../src/security/transport/index.js';
import { signUp, type Actor } from '../../support/actors.js';
import { startApp, type TestApp } from '../../support/app.js';

// Debian's slowhttptest holds connections by requests that do not end, and by answers that it hardly reads.

const program = '/usr/bin/slowhttptest';
const connections = 200;
const usual = { ...limits };
let app: TestApp;
let alice: Actor;

beforeAll(async () => {
  if (!existsSync(program)) throw new Error(`${program} is missing: apt-get install slowhttptest`);
  Object.assign(limits, { headersTimeout: 2_000, requestTimeout: 3_000, keepAliveTimeout: 2_000, checkInterval: 500 });
  app = await startApp({ instances: 1, env: { RATE_LIMIT_SCALE: '100' } });
  alice = await signUp(app, 'alice');
});
afterAll(async () => {
  Object.assign(limits, usual);
  await app.close();
});

const held = (): Promise<number> => {
  const server = app.on(0).service.app.getHttpServer() as Server;
  return promisify<number>((done) => server.getConnections(done as (error: Error | null, count: number) => void))();
};

/** Until the tool ends. How many connections the service had meanwhile, and what an honest user's requests got. */
async function attack(path: string, options: readonly string[]) {
  const url = `https://localhost:${app.on(0).addresses.https}${path}`;
  const load = ['-c', String(connections), '-r', String(connections), '-l', '10', '-i', '1', '-v', '1'];
  const tool = promisify(execFile)(program, [...options, ...load, '-u', url], { maxBuffer: 1e8 });
  const state = { isOver: false };
  const end = tool.finally(() => (state.isOver = true));
  const [open, statuses]: [number[], number[]] = [[], []];
  while (!state.isOver) {
    statuses.push((await app.request('GET', '/v1/users/me', { token: alice.token })).status);
    open.push(await held());
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return { report: (await end).stdout, open, statuses: [...new Set(statuses)] };
}

describe('slowhttptest holds connections [practice 1.2] [A4-1] [ASVS 15.2.2]', () => {
  it.each([
    ['headers', ['-H']],
    ['a body', ['-B', '-s', '8192', '-f', 'application/json']],
  ])('by %s without an end: the service cuts each, and answers everybody else meanwhile', async (_what, options) => {
    const { report, open, statuses } = await attack('/v1/auth/login', options);
    expect(statuses).toEqual([200]);
    expect(Math.max(...open)).toBeGreaterThan(connections / 2);
    expect(report).toContain('No open connections left');
  });

  // With: api-docs.
  it('by answers that it hardly reads: the service cuts each, and answers everybody else meanwhile', async () => {
    const slowly = ['-X', '-k', '3', '-w', '1', '-y', '2', '-z', '1', '-n', '1'];
    const { report, open, statuses } = await attack('/openapi.json', slowly);
    expect(statuses).toEqual([200]);
    expect(Math.max(...open)).toBeGreaterThan(connections / 2);
    // The kernel has taken the answers, 200 KB each, and the tool reads on: what counts is what the service holds.
    // Of what the kernel does not take: test/security/unsent-answers/.
    expect(report).toContain('Hit test time limit');
    expect(open.at(-1)).toBeLessThanOrEqual(1);
  });
});
