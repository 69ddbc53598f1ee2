import { execFileSync, spawn } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Copy } from '../../scripts/remove/copy.ts';
import { Project } from '../../scripts/remove/project.ts';

// The removal runs in a copy of the project that is a git repository of its own.

const copy = new Copy(new Project().files());
/** Compilers, on a machine that may be busy. */
const minutes = 5 * 60_000;

const git = (...args: readonly string[]): string =>
  execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@example.org', ...args], {
    cwd: copy.directory,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], HOME: copy.directory },
  });

const commit = () => {
  git('add', '--all');
  git('commit', '--quiet', '--message', 'a');
};

beforeAll(() => {
  rmSync(join(copy.directory, 'scripts/remove/shipped.txt'), { force: true });
  git('init', '--quiet');
  commit();
  git('tag', 'first');
});
beforeEach(() => {
  git('reset', '--quiet', '--hard', 'first');
  git('clean', '--quiet', '--force', '-d');
});
afterAll(() => copy.delete());

describe('npm run remove in a copy of the project [practice 11.1]', () => {
  it(
    'takes a part away, and leaves what compiles as a change that is not committed',
    async () => {
      expect(await copy.run('scripts/remove.ts', 'detection')).toBeUndefined();
      const changes = git('status', '--porcelain').trimEnd().split('\n');
      expect(changes).toEqual(
        expect.arrayContaining([' M src/app.module.ts', ' D src/security/detection/rules.ts', ' M README.md']),
      );
      expect(changes.every((line) => /^ [MD] /.test(line))).toBe(true);
      expect(existsSync(join(copy.directory, 'src/security/detection'))).toBe(false);
      expect(git('diff', 'src/app.module.ts').match(/^[-+] .*/gm)).toEqual(['-        DetectionModule,']);
    },
    minutes,
  );

  it(
    'edits the tests of another part: that is no edit of their owner, and the other part goes without --force',
    async () => {
      expect(await copy.run('scripts/remove.ts', '--record')).toBeUndefined();
      commit();
      expect(await copy.run('scripts/remove.ts', 'notices')).toBeUndefined();
      expect(git('status', '--porcelain')).toContain(' M test/auth/api-keys/attacks.test.ts\n');
      commit();
      expect(await copy.run('scripts/remove.ts', 'api-keys', '--dry-run')).toBeUndefined();
    },
    minutes,
  );

  it(
    'puts everything back when the compiler finds a fault at the end',
    async () => {
      writeFileSync(join(copy.directory, 'src/mine.ts'), 'export const mine: string = 1;\n');
      expect(await copy.run('scripts/remove.ts', 'detection', '--force')).toMatch(
        /^nothing was changed: [^]*src\/mine\.ts\(1,14\)/m,
      );
      expect(git('status', '--porcelain')).toBe('?? src/mine.ts\n');
    },
    minutes,
  );

  it(
    'is killed in the middle: git shows what it had done, and takes it back',
    async () => {
      const child = spawn(process.execPath, ['scripts/remove.ts', 'detection'], {
        cwd: copy.directory,
        detached: true,
      });
      const ended = new Promise((done) => child.once('close', done));
      while (existsSync(join(copy.directory, 'src/security/detection'))) await pause(20);
      process.kill(-(child.pid ?? 0), 'SIGKILL');
      await ended;
      expect(git('status', '--porcelain')).toContain(' D src/security/detection/rules.ts\n');
      git('restore', '--staged', '--worktree', '.');
      expect(git('status', '--porcelain')).toBe('');
    },
    minutes,
  );
});
