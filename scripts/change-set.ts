import { existsSync, mkdirSync, readFileSync, readdirSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

interface Change {
  /** undefined: the file is new. */
  readonly before: string | undefined;
  /** undefined: the file goes. */
  readonly after: string | undefined;
}

/**
 * Everything that a run writes and deletes: computed to the end first, so that a fault in the last file leaves the
 * first one untouched.
 */
export class ChangeSet {
  private readonly changes = new Map<string, Change>();

  /** The file as it will be; undefined when it is not there, or goes. */
  read(path: string): string | undefined {
    const change = this.changes.get(path);
    if (change !== undefined) return change.after;
    return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
  }

  /** @throws Error when the file is there already: nobody's work is written over. */
  create(path: string, text: string): void {
    if (existsSync(path) || this.changes.has(path)) throw new Error(`${path} exists already`);
    this.changes.set(path, { before: undefined, after: text });
  }

  /** @throws Error when the file is missing, and whatever the edit throws. */
  edit(path: string, change: (text: string) => string): void {
    const text = this.read(path);
    if (text === undefined) throw new Error(`${path} is not there`);
    try {
      const before = this.changes.has(path) ? this.changes.get(path)?.before : text;
      this.changes.set(path, { before, after: change(text) });
    } catch (error) {
      throw new Error(`${path}: ${(error as Error).message}`, { cause: error });
    }
  }

  /** @throws Error when the file is missing. */
  remove(path: string): void {
    const before = this.read(path);
    if (before === undefined) throw new Error(`${path} is not there`);
    this.changes.set(path, { before: this.changes.get(path)?.before ?? before, after: undefined });
  }

  /** A file that a later command of the run rewrites: undone with the others. */
  include(path: string): void {
    this.edit(path, (text) => text);
  }

  /** The files that are new. */
  created(): string[] {
    return [...this.changes].flatMap(([path, { before }]) => (before === undefined ? [path] : []));
  }

  /** The files that are there before and after. */
  edited(): string[] {
    return [...this.changes].flatMap(([path, { before, after }]) =>
      before !== undefined && after !== undefined ? [path] : [],
    );
  }

  /** The files that go. */
  removed(): string[] {
    return [...this.changes].flatMap(([path, { after }]) => (after === undefined ? [path] : []));
  }

  /** One line per file. */
  list(): string[] {
    const [created, removed] = [new Set(this.created()), new Set(this.removed())];
    const word = (path: string) => (created.has(path) ? 'new    ' : removed.has(path) ? 'removed' : 'edited ');
    return [...this.changes.keys()].map((path) => `${word(path)} ${path}`);
  }

  /** Writes all files and does the rest of the work; when either fails, everything is as it was. */
  apply(work: () => void): void {
    // A run that is interrupted ends by its own undoing, not in the middle of it.
    const interrupted = () => undefined;
    process.on('SIGINT', interrupted);
    const made: string[] = [];
    try {
      for (const [path, { after }] of this.changes) {
        if (after === undefined) rmSync(path);
        else {
          made.push(...makeDirectory(dirname(path)));
          writeFileSync(path, after);
        }
      }
      for (const path of this.removed()) removeEmpty(dirname(path));
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
      else {
        mkdirSync(dirname(path), { recursive: true });
        writeFileSync(path, before);
      }
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

/** The directory, and those around it that hold nothing else. */
function removeEmpty(path: string): void {
  if (!existsSync(path) || readdirSync(path).length > 0) return;
  rmdirSync(path);
  removeEmpty(dirname(path));
}
