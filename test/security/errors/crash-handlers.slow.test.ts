import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { send } from '../../support/http.js';

// The compiled service in a process of its own. A module that is loaded before it does, on demand, what a forgotten
// `await` or a broken event listener would do; nothing in src/ knows of it. A file, and functions with names: the log
// keeps the text of errors whose place in the stack is code of the application.
const faults = `
const explosive = new Proxy(new Error('canary'), { get() { throw explosive; }, getPrototypeOf() { throw explosive; } });
const rejections = { 'rejection': new Error('canary rejection'), 'undefined': undefined, 'explosive': explosive };
process.on('message', function receive(what) {
  if (what === 'exception') setImmediate(function explode() { throw new Error('canary exception'); });
  else if (what === 'exception at the end') {
    process.once('SIGTERM', () => setImmediate(function explode() { throw new Error('canary at the end'); }));
    process.kill(process.pid, 'SIGTERM');
  }
  else void Promise.reject(rejections[what]);
});
process.channel?.unref();
`;

const dataDirectory = mkdtempSync(join(tmpdir(), 'last-resort-'));
let child: ChildProcess;
let exit: Promise<number | null>;
let output = '';
let port = 0;

const request = (method: string, path: string, parts = {}) =>
  send({ port, ca: readFileSync(join(dataDirectory, 'tls/ca.crt'), 'utf8') }, method, path, parts);

/** The first line of the log that matches. */
async function logged(matches: (line: Record<string, unknown>) => boolean): Promise<Record<string, unknown>> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const lines = output.split('\n').filter((line) => line.startsWith('{') && line.endsWith('}'));
    const found = lines.map((line) => JSON.parse(line) as Record<string, unknown>).find(matches);
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`no such line was logged: ${output}`);
}

async function start(): Promise<void> {
  output = '';
  const env = {
    PATH: process.env['PATH'] ?? '',
    DATA_DIRECTORY: dataDirectory,
    HTTPS_PORT: '0',
    HTTP_PORT: '0',
    INTERNAL_PORT: '0',
    // Long enough that a sign-in is in flight while the next thing happens.
    ARGON2_MEMORY_KIB: '65536',
    ARGON2_PASSES: '20',
  };
  const preload = join(dataDirectory, 'faults.mjs');
  writeFileSync(preload, faults);
  child = spawn(process.execPath, ['--import', preload, 'dist/main.js'], {
    env,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  exit = new Promise((resolve) => child.once('exit', resolve));
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const ended = exit.then((code) => `ended with ${code}`);
  while (!output.includes('Mailbox')) {
    const state = await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 25))]);
    if (typeof state === 'string') throw new Error(`${state}: ${output}`);
  }
  port = Number(/https:\/\/localhost:(\d+)/.exec(output)?.[1]);
}

beforeAll(start, 120_000);

afterAll(() => {
  child.kill('SIGKILL');
  rmSync(dataDirectory, { recursive: true, force: true });
});

describe('What nobody caught does not end the service unseen [A8-2] [ASVS 16.5.4]', () => {
  it.each([
    ['rejection', 'canary rejection'],
    ['undefined', undefined],
  ])('a rejection after the answer (%s): logged in full, and the service goes on answering', async (what, message) => {
    child.send(what);
    const line = await logged(
      (entry) => entry['message'] === 'a rejection that nobody handled' && entry['error.message'] === message,
    );
    expect(line).toMatchObject({ 'log.level': 'error', 'event.action': 'sys_error' });
    expect((await request('GET', '/.well-known/jwks.json')).status).toBe(200);
  });

  it('a rejection with what explodes when it is read: told, and the service goes on answering', async () => {
    child.send('explosive');
    for (let attempt = 0; attempt < 200 && !output.includes('and the log does not take it'); attempt++)
      await new Promise((resolve) => setTimeout(resolve, 25));
    expect(output).toContain('a rejection that nobody handled, and the log does not take it');
    expect((await request('GET', '/.well-known/jwks.json')).status).toBe(200);
  });

  it('an exception in the event loop: what is in flight is answered, logged, and it leaves with 1', async () => {
    const login = request('POST', '/v1/auth/login', {
      body: { email: 'nobody@example.org', password: 'wrong password' },
    });
    await new Promise((resolve) => setTimeout(resolve, 200));
    child.send('exception');
    const line = await logged((entry) => entry['error.message'] === 'canary exception');
    expect(line).toMatchObject({
      'log.level': 'fatal',
      'event.action': 'sys_error',
      'error.stack_trace': expect.stringContaining('canary exception'),
    });
    expect((await login).status).toBe(401);
    expect(await exit).toBe(1);
  });

  it('an exception while a signal ends the service: all is answered and closed once, and 1', async () => {
    await start();
    const login = request('POST', '/v1/auth/login', {
      body: { email: 'nobody@example.org', password: 'wrong password' },
    });
    await new Promise((resolve) => setTimeout(resolve, 200));
    child.send('exception at the end');
    expect(await logged((entry) => entry['error.message'] === 'canary at the end')).toMatchObject({
      'log.level': 'fatal',
    });
    expect((await login).status).toBe(401);
    expect(await exit).toBe(1);
    expect(output).not.toContain('did not stop cleanly');
    expect(existsSync(join(dataDirectory, 'database.lock'))).toBe(false);
  }, 120_000);
});
