import { spawnSync } from 'node:child_process';
import { cpSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { linkModules } from '../scripts/link-modules.ts';

const config = '.dependency-cruiser.mjs';
const names = [...readFileSync(config, 'utf8').matchAll(/\bname: '([a-z-]+)'/g)].map(([, name]) => name);
/** Something that can be removed; without it, the rule about it has nothing to refuse. */
const part = globSync('src/*/**/*.module.ts').find((path) =>
  /^\/\/ Remove: (?!not by itself)/m.test(readFileSync(path, 'utf8')),
);

/** An import that each rule is there to refuse: the file that has it, and its text. */
const broken: Readonly<Record<string, readonly [path: string, text: string]>> = {
  'no-cycles': ['src/users/planted-a.ts', "export { planted } from './planted-b.js';"],
  'common-imports-nothing-of-ours': ['src/common/planted.ts', "import '../config/index.js';"],
  'practices-do-not-import-practices': ['src/security/errors/planted.ts', "import '../transport/index.js';"],
  'practices-do-not-import-features': ['src/security/errors/planted-feature.ts', "import '../../users/index.js';"],
  'users-never-imports-auth': ['src/users/planted-auth.ts', "import '../auth/index.js';"],
  'features-by-their-index': ['src/mail/planted.ts', "import '../users/users.service.js';"],
  'nothing-needs-what-can-be-removed': [
    'src/users/planted-part.ts',
    `import '${(part ?? '').replace(/^src/, '..').replace(/\.ts$/, '.js')}';`,
  ],
  'packages-import-nothing-of-the-service': [
    'packages/field-encryption/src/planted.ts',
    "import '../../../src/config/index.js';",
  ],
  'source-does-not-import-tests-or-dev-tools': ['src/users/planted-tool.ts', "import 'fast-check';"],
  'everything-resolves': ['src/users/planted-nothing.ts', "import './nothing-is-here.js';"],
};

describe('who may import whom [practice 11.1]', () => {
  const directory = mkdtempSync(join(tmpdir(), 'import-rules-'));
  let found: readonly { readonly rule: { readonly name: string }; readonly from: string }[];

  beforeAll(() => {
    for (const entry of ['src', 'packages', 'package.json', 'tsconfig.json', config])
      cpSync(entry, join(directory, entry), { recursive: true, filter: (path) => !path.includes('node_modules') });
    linkModules(directory);
    for (const [path, text] of Object.values(broken)) writeFileSync(join(directory, path), `${text}\n`);
    writeFileSync(
      join(directory, 'src/users/planted-b.ts'),
      "import './planted-a.js';\nexport const planted = 'a cycle';\n",
    );
    const cruise = 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs';
    const words = [cruise, 'src', 'packages/field-encryption/src', '--config', config];
    const { stdout } = spawnSync(process.execPath, [...words, '--output-type', 'json'], {
      cwd: directory,
      encoding: 'utf8',
      maxBuffer: 64 * 2 ** 20,
    });
    found = (JSON.parse(stdout) as { summary: { violations: typeof found } }).summary.violations;
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  it('every rule has an import here that it refuses', () => {
    expect(Object.keys(broken).toSorted()).toEqual(names.toSorted());
  });

  it.each(Object.entries(broken).filter(([, [, text]]) => text !== "import '';"))(
    '%s is seen to refuse',
    (name, [path]) => {
      expect(found.filter(({ rule }) => rule.name === name).map(({ from }) => from)).toContain(path);
    },
  );

  it('and nothing else than what was planted is refused', () => {
    expect(found.filter(({ from }) => !from.includes('planted'))).toEqual([]);
  });
});
