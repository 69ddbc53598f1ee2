import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const versions = "{ value: { ...process.versions, node: '20.20.2' } }";
const older = `data:text/javascript,${encodeURIComponent(`Object.defineProperty(process, 'versions', ${versions});`)}`;

describe('an older Node [practice 6.4]', () => {
  it.each(['./scripts/node-version.mjs', './src/node-version.ts'])(
    '%s ends it at once, with cause and fix',
    (check) => {
      const { status, stdout, stderr } = spawnSync(
        process.execPath,
        ['--import', older, '--import', check, '-e', 'console.log(1)'],
        { encoding: 'utf8' },
      );
      expect([status, stdout, stderr]).toEqual([
        1,
        '',
        'Node 26 is needed, this is v20.20.2: use the npm scripts, or install Node 26\n',
      ]);
    },
  );

  it('commands import nothing before the check, and every script that runs TypeScript loads it', () => {
    for (const entry of ['src/cli/main.ts', 'src/inventory/main.ts']) {
      expect(readFileSync(entry, 'utf8')).toBe("import '../node-version.js';\n\nawait import('./run.js');\n");
    }
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
    const typescript = Object.values(scripts).filter((script) => /node .*scripts\//.test(script));
    expect(typescript.length).toBeGreaterThan(5);
    for (const script of typescript) expect(script).toMatch(/^node --import \.\/scripts\/node-version\.mjs scripts\//);
  });
});
