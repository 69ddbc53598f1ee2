import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const renew = 'the table in README.md is out of date: npm run size -- --write';

interface Output {
  readonly rows: readonly { readonly part: string; readonly lines: number }[];
  readonly essential: readonly string[];
}

describe('the size of the project', () => {
  it('README tells it, give or take a tenth, and the essential path is the way of a request', () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, ['scripts/size.ts', '--json'], { encoding: 'utf8' });
    expect([status, stderr]).toEqual([0, '']);
    const { rows, essential } = JSON.parse(stdout) as Output;
    const told = new Map(
      [...readFileSync('README.md', 'utf8').matchAll(/^\| ([a-z ]+) \| [\d,]+ \| ([\d,]+) \| \d+ % \|$/gm)].map(
        ([, part, lines = '']) => [part, Number(lines.replaceAll(',', ''))],
      ),
    );
    for (const { part, lines } of rows) {
      const difference = Math.abs((told.get(part) ?? -Infinity) - lines);
      expect(difference, `${part}: ${renew}`).toBeLessThanOrEqual(lines / 10);
    }
    expect(essential).toEqual(
      expect.arrayContaining([
        'src/security/transport/listener-options.ts',
        'src/auth/authentication/authentication.guard.ts',
        'src/security/authorization/authorization.guard.ts',
        'src/security/errors/problem.filter.ts',
        'src/users/users.repository.ts',
      ]),
    );
    expect(essential.filter((path) => path.startsWith('src/cli/'))).toEqual([]);
  }, 60_000);
});
