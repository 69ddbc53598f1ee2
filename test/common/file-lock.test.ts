import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { holdsLock, lockHolder, releaseLock, takeLock } from '../../src/common/file-lock.js';

const directory = mkdtempSync(join(tmpdir(), 'lock-'));
const file = join(directory, 'database.lock');
const write = (holder: object) => writeFileSync(file, JSON.stringify(holder));
const me = { socketDirectory: '/tmp/none' };
afterEach(() => {
  releaseLock(file);
  rmSync(file, { force: true });
});

describe('the lock of the embedded database and of the key ring [practice 7.3]', () => {
  it('a process with our pid left it behind, as in a container after kill -9: taken over', () => {
    write({ pid: process.pid, nonce: 'an earlier life', socketDirectory: '/tmp/earlier-life' });
    expect([lockHolder(file), takeLock(file, me)]).toEqual([undefined, undefined]);
  });

  it('twenty processes find a stale lock at once: one takes it', async () => {
    write({ pid: 2 ** 22 - 1 });
    // Each stays until all have answered: on a busy machine, a late one would otherwise find the winner gone.
    const script = `import { takeLock } from ${JSON.stringify(new URL('../../src/common/file-lock.ts', import.meta.url).href)};
      process.stdout.write(takeLock(${JSON.stringify(file)}) === undefined ? 'taken' : 'refused');
      process.stdin.resume();`;
    const children = Array.from({ length: 20 }, () =>
      spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['pipe', 'pipe', 'inherit'] }),
    );
    const outputs = await Promise.all(children.map(async ({ stdout }) => String((await once(stdout, 'data'))[0])));
    for (const child of children) child.kill('SIGKILL');
    expect(outputs.filter((output) => output === 'taken')).toHaveLength(1);
    expect(readdirSync(directory)).toEqual(['database.lock']);
  });

  it('a living process has it: told who, and the lock stays', () => {
    expect(takeLock(file, me)).toBeUndefined();
    const before = readFileSync(file, 'utf8');
    expect(takeLock(file, { socketDirectory: '/tmp/other' })).toMatchObject({ ...me, pid: process.pid });
    expect([readFileSync(file, 'utf8'), holdsLock(file)]).toEqual([before, true]);
  });

  it('its process was killed: taken over', async () => {
    const child = fork('-e', [], { execArgv: ['-e', ''], stdio: 'ignore' });
    await new Promise((resolve) => child.once('exit', resolve));
    write({ pid: child.pid, host: hostname() });
    expect(takeLock(file, me)).toBeUndefined();
  });

  it('a process of another machine has it, with the pid of a dead one or of ours: never taken over', () => {
    for (const pid of [2 ** 22 - 1, process.pid]) {
      write({ pid, host: 'elsewhere', nonce: 'alive?' });
      expect(takeLock(file, me)).toMatchObject({ pid, host: 'elsewhere' });
    }
  });

  it.each(['{"pid":', '', 'null', '{"pid":"1"}'])('a crash left half a lock file (%s): taken over', (text) => {
    writeFileSync(file, text);
    expect(takeLock(file, me)).toBeUndefined();
  });

  it('somebody else put theirs in its place: no longer held, and the release leaves theirs', () => {
    takeLock(file, me);
    write({ pid: 1, host: 'elsewhere', nonce: 'thief' });
    expect(holdsLock(file)).toBe(false);
    releaseLock(file);
    expect(readFileSync(file, 'utf8')).toContain('thief');
  });
});
