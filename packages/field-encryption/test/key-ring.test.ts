import { chmodSync, mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { KeyRing, KeyRingError } from '../src/index.js';
import { purposes } from '../../../src/common/macs.js';

interface KeyEntry {
  id: string;
  purpose: string;
  secret: string;
  state: string;
}
interface RingFile {
  version: number;
  keys: KeyEntry[];
}

const handle = await open('/dev/null');
const FileHandlePrototype = Object.getPrototypeOf(handle) as typeof handle;
await handle.close();

const folder = () => mkdtempSync(join(tmpdir(), 'ring-'));

/** A sound ring, changed by the test, in a file of mode 0600. */
async function ringWith(change: (ring: RingFile) => unknown): Promise<string> {
  const file = join(folder(), 'keys.json');
  await KeyRing.loadOrCreate(file, purposes);
  const ring = JSON.parse(readFileSync(file, 'utf8')) as RingFile;
  const changed = change(ring) ?? ring;
  writeFileSync(file, typeof changed === 'string' ? changed : JSON.stringify(changed));
  return file;
}

const first = (ring: RingFile): KeyEntry => ring.keys[0] as KeyEntry;

describe('key ring [practice 7.3] [ASVS 13.3.1]', () => {
  it('makes a ring with a separate key per purpose that only the owner can read', async () => {
    const file = join(folder(), 'new', 'keys.json');
    const ring = await KeyRing.loadOrCreate(file, purposes);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const secrets = purposes.map((purpose) => ring.active(purpose).key.export().toString('hex'));
    expect(new Set(secrets).size).toBe(purposes.length);
    expect(readdirSync(join(file, '..'))).toEqual(['keys.json']);
  });

  it('reads the same keys at the second start', async () => {
    const file = join(folder(), 'keys.json');
    const [one, two] = [await KeyRing.loadOrCreate(file, purposes), await KeyRing.loadOrCreate(file, purposes)];
    expect(two.active('pii').key.equals(one.active('pii').key)).toBe(true);
  });

  it('starts many times at once, a moment apart: one ring, and all have it', async () => {
    for (let round = 0; round < 5; round++) {
      const file = join(folder(), 'keys.json');
      const start = async (_: unknown, at: number) => {
        await new Promise((resolve) => setTimeout(resolve, at / 4));
        return KeyRing.loadOrCreate(file, purposes);
      };
      const rings = await Promise.all(Array.from({ length: 24 }, start));
      expect(new Set(rings.map((ring) => ring.active('pii').id)).size).toBe(1);
      expect(readdirSync(join(file, '..'))).toEqual(['keys.json']);
    }
  });

  it('finds no key under another purpose', async () => {
    const ring = await KeyRing.load(await ringWith(() => undefined), purposes);
    expect(ring.find('audit', ring.active('pii').id)).toBeUndefined();
    expect(ring.find('pii', ring.active('pii').id)?.equals(ring.active('pii').key)).toBe(true);
  });

  it('gives the active key first, then the retired ones', async () => {
    const secret = randomBytes(32).toString('base64url');
    const ring = await KeyRing.load(
      await ringWith((file) => void file.keys.unshift({ id: 'pii-old', purpose: 'pii', secret, state: 'retired' })),
      purposes,
    );
    expect(ring.all('pii').map(({ id }) => id)).toEqual([ring.active('pii').id, 'pii-old']);
  });

  const refusals: readonly (readonly [string, (ring: RingFile) => unknown, RegExp])[] = [
    ['no JSON', () => '{"version":1,"keys":[{"secret":"hunter2', /no JSON: restore/],
    ['an unknown version', (ring) => ({ ...ring, version: 2 }), /version is not 1/],
    ['no list of keys', () => ({ version: 1 }), /no list "keys"/],
    ['a missing purpose', (ring) => void ring.keys.shift(), /no active key of the purpose pii: restore/],
    ['only a retired key', (ring) => void (first(ring).state = 'retired'), /no active key of the purpose pii/],
    [
      'two active keys',
      (ring) => void ring.keys.push({ ...first(ring), id: 'two', secret: randomBytes(32).toString('base64url') }),
      /2 active keys/,
    ],
    [
      'a short key',
      (ring) => void (first(ring).secret = randomBytes(16).toString('base64url')),
      /not 32 bytes in base64url: make one/,
    ],
    [
      'a key in another alphabet',
      (ring) => void (first(ring).secret = `+/${first(ring).secret.slice(2)}`),
      /not 32 bytes/,
    ],
    [
      'one secret under two purposes',
      (ring) => void ((ring.keys[1] as KeyEntry).secret = first(ring).secret),
      /the same secret/,
    ],
    ['one id twice', (ring) => void ((ring.keys[1] as KeyEntry).id = first(ring).id), /is there twice/],
    [
      'zeros',
      (ring) => void (first(ring).secret = Buffer.alloc(32).toString('base64url')),
      /example or was typed by hand/,
    ],
    [
      'a counter',
      (ring) =>
        void (first(ring).secret = Buffer.from(Array.from({ length: 32 }, (_, at) => at)).toString('base64url')),
      /example/,
    ],
    [
      'a repeated word',
      (ring) => void (first(ring).secret = Buffer.from('\u0001secret'.repeat(9)).subarray(0, 32).toString('base64url')),
      /example/,
    ],
    [
      'a long word, repeated',
      (ring) => void (first(ring).secret = 'zK4w9xQ2rT7uB1nM5'.repeat(3).slice(0, 42) + 'A'),
      /example/,
    ],
    [
      'the word example in it',
      (ring) => void (first(ring).secret = `${first(ring).secret.slice(0, 20)}example${first(ring).secret.slice(27)}`),
      /example/,
    ],
    [
      'typed text',
      (ring) => void (first(ring).secret = Buffer.from('please-change-me-before-you-go!!').toString('base64url')),
      /typed by hand/,
    ],
    ['an unknown purpose', (ring) => void (first(ring).purpose = 'session'), /unknown purpose: use one of/],
    ['an id with a dot', (ring) => void (first(ring).id = 'pii.1'), /no id of a-z/],
    ['a key that is no object', (ring) => void ring.keys.push(null as never), /key number \d+ has no id/],
  ];
  it.each(refusals)(
    'loads a ring with %s: refused in one line with the file and the fix, and no secret',
    async (_, change, message) => {
      const file = await ringWith(change);
      const error = await KeyRing.load(file, purposes).catch((thrown: unknown) => thrown as Error);
      expect(error).toBeInstanceOf(KeyRingError);
      expect(error).toMatchObject({ message: expect.stringMatching(message) as string });
      const text = (error as Error).message;
      expect(text).toContain(file);
      expect(text).not.toContain('\n');
      for (const secret of readFileSync(file, 'utf8').match(/(?<="secret":")[^"]+/g) ?? [])
        expect(text).not.toContain(secret);
    },
  );

  it.each([0o640, 0o604, 0o620, 0o644, 0o660])('loads a ring of mode %o: refused', async (mode) => {
    const file = await ringWith(() => undefined);
    chmodSync(file, mode);
    await expect(KeyRing.load(file, purposes)).rejects.toThrow(/group or others may read or write it: chmod 600/);
    await expect(KeyRing.loadOrCreate(file, purposes)).rejects.toThrow(/chmod 600/);
  });

  it.each([
    [0o440, 1000, true],
    [0o640, 1000, true],
    [0o400, 1000, true],
    [0o444, 1000, false],
    [0o460, 1000, false],
    [0o450, 1000, false],
    [0o440, 0, false],
  ])(
    'a ring of root with mode %o, as Kubernetes mounts it, for the user %i: accepted %o',
    async (mode, user, accepted) => {
      const file = await ringWith(() => undefined);
      chmodSync(file, mode);
      const asUser = vi.spyOn(process, 'geteuid').mockReturnValue(user);
      const stats = vi
        .spyOn(FileHandlePrototype, 'stat')
        .mockImplementation(async () => Object.assign(statSync(file), { uid: 0 }));
      const loading = KeyRing.load(file, purposes);
      if (accepted) expect((await loading).active('pii').id).toMatch(/^pii-/);
      else await expect(loading).rejects.toThrow(/chmod 600 it \(or root:group 0440\)/);
      asUser.mockRestore();
      stats.mockRestore();
    },
  );

  it('loads a ring that is not there: refused, and none is made', async () => {
    const file = join(folder(), 'keys.json');
    await expect(KeyRing.load(file, purposes)).rejects.toThrow(/there is no such file: mount the key ring there/);
    expect(readdirSync(join(file, '..'))).toEqual([]);
  });

  it('makes a ring where it may not write: one clear line', async () => {
    await expect(KeyRing.loadOrCreate('/proc/keys.json', purposes)).rejects.toThrow(
      /key ring \/proc\/keys.json: it cannot be made \(E[A-Z]+\)/,
    );
  });
});
