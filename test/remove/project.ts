import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

/** A small project: two parts of which one needs the other, a ground, and what names them. */
export const small: Readonly<Record<string, string>> = {
  'package.json': JSON.stringify({
    scripts: { start: 'x', watch: 'node dist/alpha/main.js' },
    dependencies: { marked: '1', fastify: '1' },
  }),
  'package-lock.json': '{}',
  'scripts/remove/shipped.txt': '',
  'README.md':
    'Uses `src/alpha/alpha.module.ts`. Starts.\n\n' +
    '| part | page |\n|---|---|\n| alpha | [alpha](docs/practices/alpha.md) |\n| beta | `src/beta/` |\n',
  'CHANGELOG.md': 'Added `src/alpha/`.\n',
  'docs/practices/alpha.md': '# Alpha\n',
  'src/app.module.ts': [
    "import { AlphaModule } from './alpha/index.js';",
    "import { BetaModule } from './beta/beta.module.js';",
    "import { GroundModule } from './ground/ground.module.js';",
    'export const table = [GroundModule, AlphaModule.with(1), BetaModule];\n',
  ].join('\n'),
  'src/alpha/alpha.module.ts':
    '// Remove: npm run remove alpha; nobody is greeted.\n' +
    'export class AlphaModule {\n  static with = (size: number) => size;\n}\n',
  'src/alpha/index.ts': "export { AlphaModule } from './alpha.module.js';\n",
  'src/alpha/main.ts': "import { marked } from 'marked';\nmarked;\n",
  'src/beta/beta.module.ts':
    '// Remove: npm run remove beta; nothing else.\n' +
    "import { AlphaModule } from '../alpha/index.js';\nexport class BetaModule {\n  alpha = AlphaModule;\n}\n",
  'src/ground/ground.module.ts': '// Remove: not by itself; all stand on it.\nexport class GroundModule {}\n',
  'test/alpha/alpha.test.ts': "import '../../src/alpha/index.js';\n",
  'test/both.test.ts': "import '../src/alpha/index.js';\n",
  'prisma/schema/alpha.prisma': 'model Alpha {\n  id String\n\n  @@map("alphas")\n}\n',
  'prisma/schema/ground.prisma': 'model Ground {\n  id String\n  /// Of the ground.\n  alphas Alpha[]\n}\n',
  'prisma/migrations/20300101000000_alpha/migration.sql': 'CREATE TABLE alphas ();\n',
  'prisma/field-names.lock.json': '{\n  "Alpha.note": "Alpha.note",\n  "Ground.note": "Ground.note"\n}\n',
};

/** A project in a directory of its own, in git, committed. */
export class SmallProject {
  readonly directory = mkdtempSync(join(tmpdir(), 'remove-'));

  constructor(files: Readonly<Record<string, string>> = small) {
    for (const [path, text] of Object.entries(files)) this.write(path, text);
    this.git('init', '--quiet');
    this.commit();
  }

  write(path: string, text: string): void {
    mkdirSync(dirname(join(this.directory, path)), { recursive: true });
    writeFileSync(join(this.directory, path), text);
  }

  read = (path: string): string => readFileSync(join(this.directory, path), 'utf8');

  commit(): void {
    this.git('add', '--all');
    this.git('-c', 'user.name=a', '-c', 'user.email=a@example.org', 'commit', '--quiet', '--message', 'a');
  }

  git(...args: readonly string[]): string {
    return execFileSync('git', args, {
      cwd: this.directory,
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], HOME: this.directory },
    });
  }

  /** Runs the removal in it. @returns its status and what it said. */
  remove(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<[status: number, said: string]> {
    const options = { cwd: this.directory, env: { PATH: process.env['PATH'], HOME: this.directory, ...env } };
    return new Promise((done) => {
      execFile(process.execPath, [resolve('scripts/remove.ts'), ...args], options, (error, stdout, stderr) =>
        done([error === null ? 0 : Number(error.code ?? -1), `${stdout}${stderr}`]),
      );
    });
  }

  /** Every file with its content. */
  everything(): Record<string, string> {
    const files = readdirSync(this.directory, { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isFile(),
    );
    const paths = files.map((entry) => join(entry.parentPath, entry.name)).filter((path) => !path.includes('/.git/'));
    return Object.fromEntries(paths.toSorted().map((path) => [path, readFileSync(path, 'utf8')]));
  }

  delete(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}
