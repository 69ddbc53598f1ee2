import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const run = promisify(execFile);

describe('the lint rule for outbound HTTP fails where it should [ASVS 13.2.4]', () => {
  const sources = {
    fetch: 'export const ask = (url: string) => fetch(url);\n',
    global: 'export const ask = (url: string) => globalThis.fetch(url);\n',
    https: "import { request } from 'node:https';\nexport const ask = request;\n",
    http: "import { request } from 'node:http';\nexport const ask = request;\n",
    get: "import { get as ask } from 'node:http';\nexport { ask };\n",
    whole: "import https from 'node:https';\nexport { https };\n",
    undici: "import { request } from 'undici';\nexport const ask = request;\n",
  };
  let folder: string;
  let output: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'lint-of-egress-'));
    for (const [name, source] of Object.entries(sources)) writeFileSync(join(folder, `${name}.ts`), source);
    writeFileSync(join(folder, 'honest.ts'), "export { createServer } from 'node:http';\n");
    output = await run('oxlint', ['--config', '.oxlintrc.json', '--format', 'unix', folder]).then(
      () => 'it passed',
      ({ stdout }: { stdout: string }) => stdout,
    );
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each(Object.entries(sources))('%s: %j', (name) => {
    expect(output).toMatch(new RegExp(`/${name}\\.ts:.*no-restricted-`));
  });

  it('a file that only listens passes', () => expect(output).not.toContain('honest.ts'));
});
