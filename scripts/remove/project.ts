import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import ts from 'typescript';
import { ChangeSet } from '../change-set.ts';

const folders = ['src', 'test', 'docs', 'prisma', 'bench', 'scripts', 'packages', 'deploy', '.ci', '.github'];
const made = new Set(['node_modules', 'dist']);
/** Secrets of whoever works here, and what git has in a linked work tree. */
const untracked = new Set(['.env', '.git']);

export interface Import {
  readonly line: number;
  /** The file, for what is ours; the specifier as it is for everything else. */
  readonly to: string;
}

/** The tree as a removal will leave it. Nothing is written. */
export class Project {
  readonly changes = new ChangeSet();
  private readonly tracked: readonly string[] = listFiles();
  private readonly entries: ReadonlyMap<string, string> = new Map(
    this.tracked
      .filter((path) => /^packages\/[^/]+\/package\.json$/.test(path))
      .flatMap((path) => entriesOf(path, readFileSync(path, 'utf8')))
      .map(({ specifier, source }) => [specifier, source]),
  );
  private readonly imports = new Map<string, { readonly text: string; readonly found: readonly Import[] }>();

  files(pattern = /(?:)/): string[] {
    const removed = new Set(this.changes.removed());
    return this.tracked.filter((path) => pattern.test(path) && !removed.has(path));
  }

  has(path: string): boolean {
    return this.changes.read(path) !== undefined;
  }

  /** @throws Error when it is not there. */
  text(path: string): string {
    const text = this.changes.read(path);
    if (text === undefined) throw new Error(`${path} is not there`);
    return text;
  }

  /** Static, dynamic, of types only, and re-exports. */
  importsOf(path: string, text = this.text(path)): readonly Import[] {
    const known = this.imports.get(path);
    if (known?.text === text) return known.found;
    const found = ts.preProcessFile(text, true, true).importedFiles.map(({ fileName, pos }) => ({
      line: text.slice(0, pos).split('\n').length,
      to: this.resolve(path, fileName),
    }));
    this.imports.set(path, { text, found });
    return found;
  }

  /** The source that a specifier means, also of a package of ours; the specifier itself for everything else. */
  resolve(from: string, specifier: string): string {
    if (specifier.startsWith('.')) return join(dirname(from), specifier).replace(/\.js$/, '.ts');
    return this.entries.get(specifier) ?? specifier;
  }
}

/** What is neither installed nor built. */
function listFiles(): string[] {
  const inRoot = readdirSync('.', { withFileTypes: true });
  const files = inRoot.filter((entry) => entry.isFile() && !untracked.has(entry.name)).map(({ name }) => name);
  return [...files, ...folders.filter((folder) => existsSync(folder)).flatMap(filesIn)].toSorted();
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isFile()) return [path];
    return entry.isDirectory() && !made.has(entry.name) && path !== 'src/generated' ? filesIn(path) : [];
  });
}

interface PackageManifest {
  readonly name: string;
  readonly exports?: Readonly<Record<string, { readonly source?: string }>>;
}

interface Entry {
  /** `./aws-kms` */
  readonly entry: string;
  readonly specifier: string;
  readonly source: string;
}

/** What a package of ours can be imported by, and the sources behind it. */
export function entriesOf(path: string, text: string): Entry[] {
  const { name, exports = {} } = JSON.parse(text) as PackageManifest;
  return Object.entries(exports).flatMap(([entry, { source }]) =>
    source === undefined ? [] : [{ entry, specifier: join(name, entry), source: join(dirname(path), source) }],
  );
}
