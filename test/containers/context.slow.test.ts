import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, globSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { linkModules } from '../../scripts/link-modules.js';
import { isSentToBuild } from './index.js';

const context = mkdtempSync(join(tmpdir(), 'build-context-'));
afterAll(() => rmSync(context, { recursive: true, force: true }));

// The other commands of the Dockerfile run in test/production-install.slow.test.ts; packages are linked, not fetched.
it('what .dockerignore lets through is enough to build the service, and nothing else is needed [ASVS 15.2.3]', () => {
  const files = globSync(['*', '.*', '{deploy,packages,prisma,scripts,src,test}/**/{*,.*}'], {
    exclude: ['**/node_modules/**', '**/dist/**', '.git', '.data/**'],
    withFileTypes: true,
  })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).replace(`${process.cwd()}/`, ''))
    .filter((path) => isSentToBuild(path));
  for (const path of files) cpSync(path, join(context, path));
  linkModules(context);
  execFileSync('npm', ['run', 'build'], { cwd: context, stdio: ['ignore', 'ignore', 'pipe'] });
  expect(existsSync(join(context, 'dist/main.js'))).toBe(true);
  expect(existsSync(join(context, 'test'))).toBe(false);
});
