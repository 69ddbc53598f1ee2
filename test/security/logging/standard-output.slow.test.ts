import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { closeSync, constants, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { StandardOutput } from '../../../src/security/logging/standard-output.js';
import { send } from '../../support/http.js';
import { freePort } from '../../../scripts/free-port.js';

const root = mkdtempSync(join(tmpdir(), 'standard-output-'));
const dataDirectory = join(root, 'data');
const children: ChildProcess[] = [];

beforeAll(() => {
  const { status, stderr } = spawnSync(process.execPath, ['scripts/build.ts'], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
}, 120_000);
afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(root, { recursive: true, force: true });
});

/** A named pipe with both ends open, as a shell makes one: writes block while it is full. */
function pipe(name: string) {
  const path = join(root, name);
  spawnSync('mkfifo', [path]);
  return { reader: openSync(path, constants.O_RDONLY | constants.O_NONBLOCK), writer: openSync(path, 'w'), path };
}

function fill({ path }: { path: string }): void {
  const fd = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
  try {
    for (;;) writeSync(fd, Buffer.alloc(4096, 'x'));
  } catch {
    closeSync(fd);
  }
}

/** Loaded before the service: a library that writes a warning of its own, on demand. */
const warnings = "process.on('SIGUSR2', () => { process.stderr.write('x'); process.stdout.write('x'); });";
const talkative = `data:text/javascript,${encodeURIComponent(warnings)}`;

/** The compiled service with these outputs, once it answers. */
async function start(stdout: number, stderr: number | 'ignore') {
  const port = await freePort();
  const env = {
    PATH: process.env['PATH'] ?? '',
    DATA_DIRECTORY: dataDirectory,
    HTTPS_PORT: String(port),
    HTTP_PORT: '0',
    INTERNAL_PORT: '0',
    SHUTDOWN_TIMEOUT_SECONDS: '10',
  };
  const child = spawn(process.execPath, ['--import', talkative, 'dist/main.js'], {
    env,
    stdio: ['ignore', stdout, stderr],
  });
  children.push(child);
  const exit = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const request = async () =>
    send({ port, ca: readFileSync(join(dataDirectory, 'tls/ca.crt'), 'utf8') }, 'GET', '/.well-known/jwks.json').then(
      ({ status }) => status,
    );
  const answers = () => request().catch(() => 0);
  while ((await answers()) !== 200) {
    if (child.exitCode !== null) throw new Error(`ended with ${child.exitCode}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return { child, exit, request };
}

/** SIGTERM; a process that is still there after its shutdown time is the fault. */
async function stop({
  child,
  exit,
}: {
  child: ChildProcess;
  exit: Promise<number | null>;
}): Promise<number | null | string> {
  child.kill('SIGTERM');
  const hangs = new Promise<string>((resolve) => setTimeout(() => resolve('still there'), 20_000).unref());
  const code = await Promise.race([exit, hangs]);
  expect(existsSync(join(dataDirectory, 'database.lock'))).toBe(false);
  return code;
}

describe('a log that nobody takes ends no service, and lets it end [ASVS 16.5.2]', () => {
  it('its pipe is full and nobody reads: it answers, and SIGTERM ends it in time', async () => {
    const stalled = pipe('stalled');
    fill(stalled);
    const service = await start(stalled.writer, 'ignore');
    expect(await stop(service)).toBe(0);
  }, 60_000);

  it('the disk behind it is full: it answers, and SIGTERM ends it in time', async () => {
    const service = await start(openSync('/dev/full', 'w'), openSync('/dev/full', 'w'));
    expect(await service.request()).toBe(200);
    expect(await stop(service)).toBe(0);
  }, 60_000);

  it('the readers of both outputs go away (EPIPE): it goes on answering', async () => {
    const [out, err] = [pipe('out'), pipe('err')];
    const service = await start(out.writer, err.writer);
    for (const { reader, writer } of [out, err]) [reader, writer].forEach(closeSync);
    for (let count = 0; count < 20; count++) {
      service.child.kill('SIGUSR2');
      expect(await service.request()).toBe(200);
    }
    expect(await stop(service)).toBe(0);
  }, 60_000);
});

describe('what waits for the reader of the log', () => {
  const stalling = () => {
    const taken: Buffer[] = [];
    const reader = { stalls: true, most: Number.POSITIVE_INFINITY };
    const write = (bytes: Buffer): number => {
      if (reader.stalls) throw Object.assign(new Error('full'), { code: 'EAGAIN' });
      const part = bytes.subarray(0, reader.most);
      taken.push(part);
      return part.length;
    };
    return {
      reader,
      output: new StandardOutput({ write, maxWaitingBytes: 10_000 }),
      text: () => Buffer.concat(taken).toString(),
    };
  };

  it('is bounded: what is too much is counted, and the log tells of its own gap [ASVS 16.5.2]', () => {
    const { reader, output, text } = stalling();
    for (let line = 0; line < 300; line++) output.write(`${String(line).padStart(99, '0')}\n`);
    reader.stalls = false;
    expect([output.flush(), output.flush()]).toEqual([undefined, undefined]);
    const lines = text().trimEnd().split('\n');
    expect(lines).toHaveLength(101);
    expect(lines[99]).toMatch(/^0*99$/);
    expect(lines[100]).toContain('200 lines of the log were lost');
  });

  it('is taken in pieces: every line is there once, in its order', () => {
    const { reader, output, text } = stalling();
    Object.assign(reader, { stalls: false, most: 7 });
    const lines = Array.from({ length: 90 }, (_, line) => `ä line ${line}\n`.padStart(100, '-'));
    for (const line of lines) output.write(line);
    output.flush();
    expect(text()).toBe(lines.join(''));
  });
});
