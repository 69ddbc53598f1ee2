import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { holdsLock, lockHolder, releaseLock, takeLock } from '../../src/common/file-lock.js';

const directory = mkdtempSync(join(tmpdir(), 'lock-'));
const file = join(directory, 'database.lock');
const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
const nonce = randomUUID();
const write = (holder: object) => writeFileSync(file, JSON.stringify(holder));
const me = { socketDirectory: '/tmp/none' };
const children: ChildProcess[] = [];

/** A process that tries to take the lock, says what it got, and stays. */
async function taker(path = file): Promise<{ readonly said: string; readonly child: ChildProcess }> {
  // Plain node strips the types, but would not find the imports of TypeScript, which end in .js.
  const module = new URL('../../src/common/file-lock.ts', import.meta.url).href;
  const script = `import { registerHooks } from 'node:module';
    const toSource = (name) => (name.startsWith('./') ? name.replace('.js', '.ts') : name);
    registerHooks({ resolve: (name, context, next) => next(toSource(name), context) });
    const { takeLock } = await import(${JSON.stringify(module)});
    process.stdout.write(await takeLock(${JSON.stringify(path)}) === undefined ? 'taken' : 'refused');
    process.stdin.resume();`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['pipe', 'pipe', 'inherit'] });
  children.push(child);
  return { said: String((await once(child.stdout, 'data'))[0]), child };
}

async function kill(child: ChildProcess): Promise<void> {
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}

afterEach(async () => {
  releaseLock(file);
  for (const child of children.splice(0)) child.kill('SIGKILL');
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory);
});

describe('the lock of the embedded database and of the key ring [practice 7.3]', () => {
  it.each([process.pid, 1, process.ppid])(
    'its holder was killed, and process %i, which lives, has its pid now: taken over',
    async (pid) => {
      write({ pid, nonce, boot: bootId, socketDirectory: '/tmp/earlier-life' });
      expect([await lockHolder(file), await takeLock(file, me)]).toEqual([undefined, undefined]);
    },
  );

  it('twenty processes find a stale lock at once: one takes it, and the others leave nothing behind', async () => {
    write({ pid: 2 ** 22 - 1, nonce });
    const takers = await Promise.all(Array.from({ length: 20 }, () => taker()));
    expect(takers.filter(({ said }) => said === 'taken')).toHaveLength(1);
    const { nonce: winner } = (await lockHolder(file)) ?? {};
    expect(readdirSync(directory).toSorted()).toEqual(['database.lock', `database.lock.${winner}`]);
  });

  it('a process of another container has it: refused as long as it lives, then taken over', async () => {
    const { child, said } = await taker();
    // What we read is what a process in a PID namespace of its own writes: the number of another, or of nobody.
    write({ ...JSON.parse(readFileSync(file, 'utf8')), pid: 2 ** 22 - 1 });
    expect([said, await takeLock(file, me)]).toEqual(['taken', expect.objectContaining({ pid: 2 ** 22 - 1 })]);
    // Stopped as a debugger does it, or busy: it lives.
    child.kill('SIGSTOP');
    expect(await takeLock(file, me)).toBeDefined();
    await kill(child);
    expect(await takeLock(file, me)).toBeUndefined();
    expect(readdirSync(directory)).toHaveLength(2);
  });

  it('a living process has it: told who, and the lock stays', async () => {
    expect(await takeLock(file, me)).toBeUndefined();
    const before = readFileSync(file, 'utf8');
    expect(await takeLock(file, { socketDirectory: '/tmp/other' })).toMatchObject({ ...me, pid: process.pid });
    expect([readFileSync(file, 'utf8'), holdsLock(file)]).toEqual([before, true]);
  });

  it('the path is longer than a socket address holds: held, refused to others, taken over after the end', async () => {
    const deep = join(directory, 'd'.repeat(120));
    mkdirSync(deep);
    const { said, child } = await taker(join(deep, 'database.lock'));
    expect([said, await takeLock(join(deep, 'database.lock'))]).toEqual([
      'taken',
      expect.objectContaining({ pid: child.pid }),
    ]);
    await kill(child);
    expect(await takeLock(join(deep, 'database.lock'))).toBeUndefined();
    releaseLock(join(deep, 'database.lock'));
    expect(readdirSync(deep)).toEqual([]);
  });

  it('a process of another machine has it, with the pid of a dead one or of ours: never taken over', async () => {
    for (const pid of [2 ** 22 - 1, process.pid]) {
      write({ pid, host: 'elsewhere', nonce, boot: randomUUID() });
      expect(await takeLock(file, me)).toMatchObject({ pid, host: 'elsewhere' });
    }
  });

  it.each([{ host: hostname() }, { host: 'a removed container', boot: bootId }])(
    'a process of this machine had it (%o), and is gone: taken over',
    async (where) => {
      write({ pid: 1, nonce, ...where });
      expect(await takeLock(file, { host: hostname() })).toBeUndefined();
    },
  );

  it.each(['{"pid":', '', 'null', '{"pid":"1"}', '{"pid":1,"nonce":"../../x"}'])(
    'a crash left half a lock file (%s): taken over',
    async (text) => {
      writeFileSync(file, text);
      expect(await takeLock(file, me)).toBeUndefined();
    },
  );

  it('processes were killed while they took it: the next one removes what they left', async () => {
    const old = [`${file}.${randomUUID()}`, `${file}.${randomUUID()}.new`, `${file}.${randomUUID()}.stale`];
    const other = [`${file}.txt`, join(directory, 'keys.json')];
    for (const path of [...old, ...other]) {
      writeFileSync(path, '');
      utimesSync(path, 0, 0);
    }
    await takeLock(file, me);
    expect([old.filter((path) => existsSync(path)), other.filter((path) => existsSync(path))]).toEqual([[], other]);
  });

  it('somebody else put theirs in its place: no longer held, and the release leaves theirs', async () => {
    await takeLock(file, me);
    write({ pid: 1, host: 'elsewhere', nonce });
    expect(holdsLock(file)).toBe(false);
    releaseLock(file);
    expect(readFileSync(file, 'utf8')).toContain(nonce);
  });
});
