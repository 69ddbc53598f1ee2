import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  lutimesSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { freePort } from '../scripts/free-port.js';
import { send } from './support/http.js';
import { parseMail } from './support/mail.js';
import { timing } from './support/timing.js';

// The compiled service as the owner starts it: a process of its own, no exported variable that it does not need.

interface Running {
  readonly process: ChildProcess;
  readonly output: () => string;
  readonly exit: Promise<number | null>;
  readonly pid: () => number;
}

const children: ChildProcess[] = [];
const root = mkdtempSync(join(tmpdir(), 'service-process-'));
const dataDirectory = join(root, 'data');
let ports: { https: number; http: number; internal: number };

const environment = (): Record<string, string> => ({
  PATH: process.env['PATH'] ?? '',
  DATA_DIRECTORY: dataDirectory,
  HTTPS_PORT: String(ports.https),
  HTTP_PORT: String(ports.http),
  INTERNAL_PORT: String(ports.internal),
  ARGON2_MEMORY_KIB: '19456',
  ARGON2_PASSES: '2',
});

/** In a process group of its own, as a shell starts it. */
function run(command: string, args: string[] = [], env: Record<string, string> = {}): Running {
  const child = spawn(command, args, {
    env: { ...environment(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  children.push(child);
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const exit = new Promise<number | null>((resolve) => child.once('close', resolve));
  return { process: child, output: () => output, exit, pid: () => child.pid ?? 0 };
}

const runNode = (entry: string, args: string[] = [], env: Record<string, string> = {}) =>
  run(process.execPath, [entry, ...args], env);

/** Starts the service and waits for its banner. */
async function start(env: Record<string, string> = {}, by: 'npm' | 'node' = 'node'): Promise<Running> {
  const running = by === 'npm' ? run('npm', ['start'], env) : runNode('dist/main.js', [], env);
  const ended = running.exit.then((code) => `ended with ${code}`);
  while (!running.output().includes('Mailbox')) {
    const state = await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 25))]);
    if (typeof state === 'string') throw new Error(`${state}: ${running.output()}`);
  }
  return running;
}

const stop = async ({ process: child, exit }: Running): Promise<number | null> => {
  child.kill('SIGTERM');
  return exit;
};

const request = (method: string, path: string, parts = {}) =>
  send({ port: ports.https, ca: readFileSync(join(dataDirectory, 'tls/ca.crt'), 'utf8') }, method, path, parts);

/**
 * A log-in that the service has received, and whose answer takes as long as hashing: all of what comes until the
 * connection closes.
 */
async function logInFlight({ contentLength = 0 } = {}): Promise<{ readonly answer: Promise<string> }> {
  const options = {
    host: '127.0.0.1',
    port: ports.https,
    servername: 'localhost',
    ca: readFileSync(join(dataDirectory, 'tls/ca.crt')),
  };
  const socket = connectTls(options);
  await once(socket, 'secureConnect');
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const answer = new Promise<string>((resolve) =>
    socket.on('error', () => undefined).once('close', () => resolve(text)),
  );
  const body = JSON.stringify({ email: 'nobody@example.org', password: 'wrong password' });
  const head =
    `POST /v1/auth/login HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ` +
    `${contentLength || body.length}\r\n\r\n`;
  await new Promise((resolve) => socket.write(head + body, resolve));
  return { answer };
}

beforeAll(() => {
  const { status, stderr } = spawnSync(process.execPath, ['scripts/build.ts'], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
}, 120_000);

beforeEach(async () => {
  ports = { https: await freePort(), http: await freePort(), internal: await freePort() };
});

afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(root, { recursive: true, force: true });
});

describe('the process [practice 11.1]', () => {
  it('starts on an empty directory, makes what it needs, and stops with 0 on SIGTERM', async () => {
    const service = await start();
    expect(service.output()).toContain(`https://localhost:${ports.https}/docs`);
    expect(statSync(join(dataDirectory, 'keys.json')).mode & 0o777).toBe(0o600);
    expect(statSync(dataDirectory).mode & 0o777).toBe(0o700);
    expect((await request('GET', '/.well-known/jwks.json')).status).toBe(200);
    expect(await stop(service)).toBe(0);
  }, 60_000);

  it('the first start is killed -9 at each step: the one after works, nothing half-made stays', async () => {
    const fresh = { DATA_DIRECTORY: join(root, 'killed') };
    const steps = [
      'tls/ca.crt',
      'database.unfinished/base/1/PG_VERSION',
      'database.unfinished/global/pg_control',
      'database',
    ];
    for (const step of steps) {
      const killed = runNode('dist/main.js', [], fresh);
      while (!existsSync(join(fresh.DATA_DIRECTORY, step))) await new Promise((resolve) => setTimeout(resolve, 2));
      killed.process.kill('SIGKILL');
      await killed.exit;
    }
    // What is younger than a minute may still be in use by somebody, so a start leaves it.
    for (const name of readdirSync(fresh.DATA_DIRECTORY))
      lutimesSync(join(fresh.DATA_DIRECTORY, name), new Date(0), new Date(0));
    const service = await start(fresh);
    expect(await stop(service)).toBe(0);
    expect(readdirSync(fresh.DATA_DIRECTORY).toSorted()).toEqual(['database', 'keys.json', 'tls', 'tombstones.txt']);
  }, 240_000);

  it('survives kill -9: what was acknowledged is there after the next start', async () => {
    const before = await start();
    const jwks = await request('GET', '/.well-known/jwks.json');
    before.process.kill('SIGKILL');
    await before.exit;
    const after = await start();
    expect((await request('GET', '/.well-known/jwks.json')).body).toEqual(jwks.body);
    expect(await stop(after)).toBe(0);
  }, 60_000);

  it('SIGTERM comes while requests run: each gets its answer, then the process leaves with 0', async () => {
    const service = await start();
    // Hashing takes tens of milliseconds, so these are in flight when the signal comes.
    const login = { body: { email: 'nobody@example.org', password: 'wrong password' } };
    const answers = Array.from({ length: 8 }, () => request('POST', '/v1/auth/login', login));
    await new Promise((resolve) => setTimeout(resolve, 40));
    expect(await stop(service)).toBe(0);
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual(answers.map(() => 401));
  }, 60_000);

  it('Ctrl-C comes twice and once more: requests in flight are answered, 0 [practice 11.1]', async () => {
    const service = await start({}, 'npm');
    const answers = await Promise.all(Array.from({ length: 8 }, () => logInFlight()));
    // The terminal signals the whole group; npm passes it on as well.
    process.kill(-service.pid(), 'SIGINT');
    process.kill(-service.pid(), 'SIGINT');
    expect(await service.exit).toBe(0);
    expect(await Promise.all(answers.map(({ answer }) => answer))).toEqual(
      answers.map(() => expect.stringMatching(/^HTTP\/1.1 401 /)),
    );
    expect(existsSync(join(dataDirectory, 'database.lock'))).toBe(false);
  }, 60_000);

  it('Ctrl-C once more, seconds later, while a client holds half a request: ends at once, and says so', async () => {
    const service = await start({ SHUTDOWN_TIMEOUT_SECONDS: '60' });
    const { answer } = await logInFlight({ contentLength: 1_000 });
    service.process.kill('SIGINT');
    await new Promise((resolve) => setTimeout(resolve, 2_100));
    service.process.kill('SIGINT');
    expect([await service.exit, await answer]).toEqual([130, '']);
    expect(service.output()).toContain('SIGINT again: ended at once');
  }, 60_000);

  it('Ctrl-C before the service listens: ends at once, and the next start works', async () => {
    const lock = join(dataDirectory, 'database.lock');
    // The one that just ended at once has left its own.
    rmSync(lock, { force: true });
    const service = runNode('dist/main.js');
    while (!existsSync(lock)) await new Promise((resolve) => setTimeout(resolve, 5));
    service.process.kill('SIGINT');
    expect([await service.exit, service.output()]).toEqual([
      130,
      expect.stringContaining('SIGINT: ended before the service listened'),
    ]);
    expect(await stop(await start())).toBe(0);
  }, 60_000);

  it(
    'SIGTERM during half a request and half a handshake: both are cut, all is closed, 0 [A4-1]',
    { ...timing, timeout: 60_000 },
    async () => {
      const service = await start({ SHUTDOWN_TIMEOUT_SECONDS: '3' });
      const silent = connect(ports.https, '127.0.0.1').on('error', () => undefined);
      const options = {
        host: '127.0.0.1',
        port: ports.https,
        servername: 'localhost',
        ca: readFileSync(join(dataDirectory, 'tls/ca.crt')),
      };
      const half = connectTls(options, () =>
        half.write(
          'POST /v1/auth/login HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ' +
            '100\r\n\r\n{',
        ),
      );
      const closed = new Promise((resolve) => half.on('error', () => undefined).once('close', resolve));
      await once(half, 'secureConnect');
      await new Promise((resolve) => setTimeout(resolve, 300));
      expect(existsSync(join(dataDirectory, 'database.lock'))).toBe(true);
      const signalled = performance.now();
      expect(await stop(service)).toBe(0);
      expect(performance.now() - signalled).toBeLessThan(3_000);
      await closed;
      expect(existsSync(join(dataDirectory, 'database.lock'))).toBe(false);
      silent.destroy();
    },
  );

  it('SIGTERM during a request that hangs for too long: it is cut, said, and it leaves with 1', async () => {
    const service = await start({ SHUTDOWN_TIMEOUT_SECONDS: '2', ARGON2_MEMORY_KIB: '65536', ARGON2_PASSES: '30' });
    const login = { body: { email: 'nobody@example.org', password: 'wrong password' } };
    const answers = Array.from({ length: 8 }, () => request('POST', '/v1/auth/login', login).catch(() => 'cut'));
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(await stop(service)).toBe(1);
    expect(await Promise.all(answers)).toContain('cut');
    expect(service.output()).toMatch(/the time was up: \d complete requests got no answer/);
  }, 60_000);

  it('makes the first administrator by command, beside the running service [ASVS 6.3.2]', async () => {
    const service = await start();
    const email = 'first@example.org';
    const password = 'violet harbour counts to nine';
    await request('POST', '/v1/auth/register', { body: { email } });
    const token = await mailedToken(email);
    expect((await request('POST', '/v1/auth/email/verify', { body: { token, password, name: 'First' } })).status).toBe(
      201,
    );
    const { body } = await request('POST', '/v1/auth/login', { body: { email, password } });
    expect((await request('GET', '/v1/users', { token: body.accessToken })).status).toBe(403);
    const grant = runNode('dist/cli/main.js', ['users:grant', email, 'admin']);
    expect([await grant.exit, grant.output()]).toEqual([0, expect.stringContaining('granted')]);
    await new Promise((resolve) => setTimeout(resolve, 2_100));
    expect((await request('GET', '/v1/users', { token: body.accessToken })).status).toBe(200);
    expect(await stop(service)).toBe(0);
  }, 60_000);

  it('a command is mistyped: told how it goes, exit code 2', async () => {
    const mistyped = runNode('dist/cli/main.js', ['users:grant', 'x@example.org', 'root']);
    expect([await mistyped.exit, mistyped.output()]).toEqual([
      2,
      expect.stringMatching(/users:grant <email> <user\|admin(?:\|\w+)*>/),
    ]);
  });
});

describe('a start that cannot be [practice 6.4]', () => {
  const failed = async (env: Record<string, string>): Promise<{ code: number | null; output: string }> => {
    const running = runNode('dist/main.js', [], env);
    return { code: await running.exit, output: running.output() };
  };

  it('the port is taken: one line with the variable, exit code 1', async () => {
    const server = createServer().listen(ports.https, '127.0.0.1');
    const { code, output } = await failed({});
    server.close();
    expect(code).toBe(1);
    expect(output).toContain(`port ${ports.https} is taken: stop the process that has it, or set HTTPS_PORT`);
  }, 30_000);

  it.each([
    ['the data directory cannot be made', { DATA_DIRECTORY: '/dev/null/data' }, 'DATA_DIRECTORY'],
    ['the database is down', { DATABASE_URL: 'postgresql://app@127.0.0.1:1/app' }, 'DATABASE_URL'],
    [
      'HOST is no address of this machine',
      { HOST: '203.0.113.7' },
      'HOST: this machine has no such address (EADDRNOTAVAIL)',
    ],
    [
      'INTERNAL_HOST is none',
      { INTERNAL_HOST: '10.255.255.1' },
      'INTERNAL_HOST: this machine has no such address (EADDRNOTAVAIL)',
    ],
    ['the configuration is wrong twice', { HTTPS_PORT: 'x', LOG_LEVEL: 'canary' }, 'LOG_LEVEL: set one of'],
    ['production lacks everything', { NODE_ENV: 'production' }, 'KEY_RING_FILE is not set'],
  ])(
    '%s: said in one clear message without a stack, exit code 1',
    async (_, env, expected) => {
      const { code, output } = await failed(env);
      expect(code).toBe(1);
      expect(output).toContain('The service did not start');
      expect(output).toContain(expected);
      expect(output).not.toMatch(/canary|\n\s+at /);
    },
    30_000,
  );

  it('the key ring is broken, or others may read it: refused with the fix [ASVS 13.3.2]', async () => {
    const file = join(root, 'keys.json');
    writeFileSync(file, '{"version":1,"keys":[', { mode: 0o600 });
    expect(await failed({ KEY_RING_FILE: file })).toMatchObject({ code: 1, output: expect.stringContaining(file) });
    writeFileSync(file, readFileSync(join(dataDirectory, 'keys.json')), { mode: 0o644 });
    rmSync(file);
    writeFileSync(file, readFileSync(join(dataDirectory, 'keys.json')), { mode: 0o644 });
    expect(await failed({ KEY_RING_FILE: file })).toMatchObject({
      code: 1,
      output: expect.stringMatching(/chmod|0600|600/),
    });
  }, 30_000);
});

async function mailedToken(email: string): Promise<string> {
  const directory = join(dataDirectory, 'outbox');
  for (let attempt = 0; attempt < 100; attempt++) {
    const names = existsSync(directory) ? readdirSync(directory).filter((name) => name.endsWith('.eml')) : [];
    const mails = names.map((name) => parseMail(readFileSync(join(directory, name), 'utf8')));
    const token = mails.find(({ to }) => to.includes(email))?.text.match(/\b[A-Za-z0-9_-]{40,}\b/)?.[0];
    if (token !== undefined) return token;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('no mail came');
}
