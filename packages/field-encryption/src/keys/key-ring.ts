import { randomUUID, type KeyObject } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import { link, mkdir, open, stat, unlink, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { KeyRingError, newKeyRingText, parseKeyRing, type RingKey } from './key-ring.format.js';

const othersOrGroupWrite = 0o037;
const groupOrOthers = 0o077;
const maxFileBytes = 1024 * 1024;

/** The keys that never enter the database: one file, a separate 256-bit key per purpose, held as `KeyObject`s. */
export class KeyRing {
  private constructor(
    readonly file: string,
    /** What there are keys for, one active each. */
    readonly purposes: readonly string[],
    private keys: readonly RingKey[],
    /** The form of the file that was looked at last, sound or not. */
    private seen: string,
  ) {}

  /** @throws KeyRingError when the file is absent, readable by others, or not a sound key ring. */
  static async load(file: string, purposes: readonly string[]): Promise<KeyRing> {
    const ring = await KeyRing.read(file, purposes);
    return ring ?? fail(file, 'there is no such file: mount the key ring there, or make the first one with keys:init');
  }

  /**
   * Loads the file; makes it (mode 0600) when there is none.
   * @throws KeyRingError
   */
  static async loadOrCreate(file: string, purposes: readonly string[]): Promise<KeyRing> {
    const ring = await KeyRing.read(file, purposes);
    if (ring !== undefined) return ring;
    await create(file, purposes);
    return KeyRing.load(file, purposes);
  }

  /**
   * Makes the file (mode 0600), with a key of every purpose.
   * @throws KeyRingError when something is there already: what its keys sealed could never be opened again.
   */
  static async create(file: string, purposes: readonly string[]): Promise<KeyRing> {
    if (!(await create(file, purposes)))
      fail(file, 'it is there already, and stays as it is: keys:rotate changes its keys');
    return KeyRing.load(file, purposes);
  }

  /** The key that new values are sealed or signed with. */
  active(purpose: string): { readonly id: string; readonly key: KeyObject } {
    const active = this.keys.find((key) => key.purpose === purpose && key.state === 'active');
    if (active === undefined) throw new KeyRingError(`no active key of the purpose ${purpose}`);
    return active;
  }

  /** The key of that id, if it has that purpose: an id never opens a key of another purpose. */
  find(purpose: string, id: string): KeyObject | undefined {
    return this.keys.find((key) => key.purpose === purpose && key.id === id)?.key;
  }

  /** The active key first, then the next and the retired ones. */
  all(purpose: string): readonly RingKey[] {
    return this.keys
      .filter((key) => key.purpose === purpose)
      .toSorted((a, b) => Number(b.state === 'active') - Number(a.state === 'active'));
  }

  /**
   * Reads the file again when it is no longer the one that was read.
   * @returns true when other keys hold from now on.
   * @throws KeyRingError once for each unsound form of the file; the keys stay as they were.
   */
  async reload(): Promise<boolean> {
    const form = await stat(this.file).then(formOf, codeOf);
    if (form === this.seen) return false;
    this.seen = form;
    const read = await KeyRing.load(this.file, this.purposes);
    [this.keys, this.seen] = [read.keys, read.seen];
    return true;
  }

  private static async read(file: string, purposes: readonly string[]): Promise<KeyRing | undefined> {
    let handle: FileHandle;
    try {
      handle = await open(file, constants.O_RDONLY);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      return fail(file, `it cannot be read (${codeOf(error)}): let the user of the service own it`, error);
    }
    try {
      const form = await refuseLooseFile(handle);
      return new KeyRing(file, purposes, parseKeyRing(await handle.readFile('utf8'), purposes), form);
    } catch (error) {
      return error instanceof KeyRingError
        ? fail(file, error.message)
        : fail(file, `it cannot be read (${codeOf(error)})`, error);
    } finally {
      await handle.close();
    }
  }
}

/**
 * The rule of libpq for private keys: nobody but the owner; and of a file of root, the group may read. A container
 * without root gets its secrets in no other form: Kubernetes mounts them as root:fsGroup, mode 0440.
 */
export function isOpenToOthers({ mode, uid }: { readonly mode: number; readonly uid: number }): boolean {
  // Windows has no such bits; there the folder's access list is the protection.
  if (process.platform === 'win32') return false;
  const ofRoot = uid === 0 && process.geteuid?.() !== 0;
  return (mode & (ofRoot ? othersOrGroupWrite : groupOrOthers)) !== 0;
}

/** Asked of the open handle, not of the path: nobody can swap the file between check and read. */
async function refuseLooseFile(handle: FileHandle): Promise<string> {
  const stats = await handle.stat();
  const { size } = stats;
  if (isOpenToOthers(stats)) {
    throw new KeyRingError(
      'group or others may read or write it: ' +
        'chmod 600 it (or root:group 0440), and replace its keys if others had access',
    );
  }
  if (size > maxFileBytes) throw new KeyRingError('it is larger than 1 MiB: that is no key ring');
  return formOf(stats);
}

/** Changes with every write, rename and chmod. */
const formOf = ({ ino, size, mtimeMs, ctimeMs }: Stats): string => [ino, size, mtimeMs, ctimeMs].join(' ');

/**
 * A complete file appears under its name, or none: written beside it, flushed, then linked, which fails if another
 * start was faster. A half-written or second ring would make every sealed cell unreadable.
 * @returns false when there is one already.
 */
async function create(file: string, purposes: readonly string[]): Promise<boolean> {
  const draft = `${file}.${randomUUID()}.new`;
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    const handle = await open(draft, 'wx', 0o600);
    try {
      await handle.writeFile(newKeyRingText(purposes));
      await handle.sync();
    } finally {
      await handle.close();
    }
    await link(draft, file);
    return true;
  } catch (error) {
    return codeOf(error) === 'EEXIST'
      ? false
      : fail(file, `it cannot be made (${codeOf(error)}): let the service write to its folder`, error);
  } finally {
    await unlink(draft).catch((error: unknown) => {
      if (codeOf(error) !== 'ENOENT') throw error;
    });
  }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'unknown error';
}

function fail(file: string, fault: string, cause?: unknown): never {
  throw new KeyRingError(`key ring ${file}: ${fault}`, { cause });
}
