import { existsSync, mkdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

interface Change {
  /** undefined: the file is new. */
  readonly before: string | undefined;
  readonly after: string;
}

/** Everything that a run writes: computed to the end first, so that a fault in the last file leaves the first one untouched. */
export class ChangeSet {
  private readonly changes = new Map<string, Change>();

  /** @throws Error when the file is there already: nobody's work is written over. */
  create(path: string, text: string): void {
    if (existsSync(path) || this.changes.has(path)) throw new Error(`${path} exists already`);
    this.changes.set(path, { before: undefined, after: text });
  }

  /** @throws Error when the file is missing, and whatever the edit throws. */
  edit(path: string, change: (text: string) => string): void {
    const before = this.changes.get(path)?.before ?? readFileSync(path, 'utf8');
    try {
      this.changes.set(path, { before, after: change(this.changes.get(path)?.after ?? before) });
    } catch (error) {
      throw new Error(`${path}: ${(error as Error).message}`, { cause: error });
    }
  }

  /** A file that a later command of the run rewrites: undone with the others. */
  include(path: string): void {
    this.edit(path, (text) => text);
  }

  /** One line per file. */
  list(): string[] {
    return [...this.changes].map(([path, { before }]) => `${before === undefined ? 'new   ' : 'edited'}  ${path}`);
  }

  /** Writes all files and does the rest of the work; when either fails, everything is as it was. */
  apply(work: () => void): void {
    // A run that is interrupted ends by its own undoing, not in the middle of it.
    const interrupted = () => undefined;
    process.on('SIGINT', interrupted);
    const made: string[] = [];
    try {
      for (const [path, { after }] of this.changes) {
        made.push(...makeDirectory(dirname(path)));
        writeFileSync(path, after);
      }
      work();
    } catch (error) {
      this.undo(made);
      throw error;
    } finally {
      process.off('SIGINT', interrupted);
    }
  }

  private undo(directories: readonly string[]): void {
    for (const [path, { before }] of this.changes) {
      if (before === undefined) rmSync(path, { force: true });
      else writeFileSync(path, before);
    }
    for (const directory of directories.toReversed()) rmdirSync(directory);
  }
}

/** @returns the directories that were not there, outermost first. */
function makeDirectory(path: string): string[] {
  if (existsSync(path)) return [];
  const made = makeDirectory(dirname(path));
  mkdirSync(path);
  return [...made, path];
}
