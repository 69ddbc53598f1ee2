import { beforeAll, describe, expect, it, vi } from 'vitest';
import { readConfig, type Config } from '../../../src/config/index.js';
import { Gate } from '../../../src/security/data-protection/gate.js';
import { PasswordHasher } from '../../../src/security/data-protection/index.js';

interface Computing {
  compute(hashed: string, password: string): Promise<boolean>;
}

const config = (memory: number, passes: number): Config =>
  readConfig({ ARGON2_MEMORY_KIB: String(memory), ARGON2_PASSES: String(passes) });

describe('password hasher [practice 7.2] [ASVS 11.4.2]', () => {
  const hasher = new PasswordHasher(config(19456, 2));
  let hash: string;
  beforeAll(async () => {
    hash = await hasher.hash('correct horse battery staple');
  });

  it('hashes with argon2id, the configured parameters and a salt of its own', async () => {
    expect(hash).toMatch(/^\$argon2id\$v=19\$m=19456,p=1,t=2\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
    expect(await hasher.hash('correct horse battery staple')).not.toBe(hash);
  });

  it('lets the right password in and no other', async () => {
    expect(await hasher.verify(hash, 'correct horse battery staple', { inUse: [] })).toBe(true);
    for (const wrong of [
      '',
      'correct horse battery stapl',
      'correct horse battery staple ',
      'Correct horse battery staple',
    ]) {
      expect(await hasher.verify(hash, wrong, { inUse: [] })).toBe(false);
    }
  });

  it('does the work of every set in use, for whomever, whatever the cost was [ASVS 6.3.8] [A2-2]', async () => {
    const sets: string[] = [];
    const compute = vi
      .spyOn(PasswordHasher.prototype as unknown as Computing, 'compute')
      .mockImplementation(async (hashed) => {
        sets.push(hasher.parametersOf(hashed));
        return hashed === hash;
      });
    const work = async (hashed: string | undefined, inUse: string[]) => {
      sets.length = 0;
      const isRight = await hasher.verify(hashed, 'guess', { inUse });
      return { isRight, sets: [...sets] };
    };
    const [present, dearer] = ['m=19456,t=2,p=1', 'm=65536,t=3,p=1'];
    for (const inUse of [[present], [present, dearer], [dearer, present]]) {
      const all = inUse.toSorted();
      expect(await work(hash, inUse)).toEqual({ isRight: true, sets: all });
      expect(await work(undefined, inUse)).toEqual({ isRight: false, sets: all });
      expect(
        await work(hash.replace('m=19456', 'm=65536').replace('t=2', 't=3'), [...new Set([...inUse, dearer])]),
      ).toEqual({ isRight: false, sets: [present, dearer] });
    }
    // Nobody is there yet: the work is done all the same.
    expect(await work(undefined, [])).toEqual({ isRight: false, sets: [present] });
    compute.mockRestore();
  });

  it.each(['', 'plaintext', '$argon2i$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaA', '$2b$10$abcdefghijklmnopqrstuv'])(
    'plants "%s" as a stored hash: an error, never a match',
    async (planted) => {
      await expect(hasher.verify(planted, planted, { inUse: [] })).rejects.toThrow(/not argon2id/);
    },
  );

  it('asks for a new hash when memory or passes rise, and not when they fall', () => {
    expect(new PasswordHasher(config(19456, 2)).needsRehash(hash)).toBe(false);
    expect(new PasswordHasher(config(32768, 2)).needsRehash(hash)).toBe(true);
    expect(new PasswordHasher(config(19456, 3)).needsRehash(hash)).toBe(true);
    expect(new PasswordHasher(config(65536, 3)).needsRehash('$2b$10$abc')).toBe(true);
  });
});

const from = (group: string, isKnown = false) => ({ group, isKnown });

describe('gate of the hasher [A4-4] [ASVS 15.4.4]', () => {
  it('runs as many as there are places, queues a few, refuses the rest with 503 and Retry-After', async () => {
    const gate = new Gate(2, 3);
    let running = 0;
    let most = 0;
    const work = async () => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setTimeout(resolve, 5));
      running--;
    };
    const outcomes = await Promise.allSettled(Array.from({ length: 10 }, () => gate.run(from('a'), work)));
    expect(most).toBe(2);
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
    expect(refused).toHaveLength(5);
    expect(refused[0]?.reason).toMatchObject({ type: 'unavailable', extras: { headers: { 'Retry-After': '5' } } });
    await expect(gate.run(from('a'), async () => 'free again')).resolves.toBe('free again');
  });

  it('gives the place back when the work throws', async () => {
    const gate = new Gate(1, 0);
    await expect(gate.run(from('a'), () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    await expect(gate.run(from('a'), async () => 1)).resolves.toBe(1);
  });

  /** One place, which is taken until all others have come; in which order they then run, and who was refused. */
  async function orderOf(gate: Gate, comers: readonly (readonly [string, boolean?])[]) {
    const { promise, resolve } = Promise.withResolvers<void>();
    const first = gate.run(from('first'), () => promise);
    const order: string[] = [];
    const refused: string[] = [];
    const work = comers.map(([name, isKnown]) =>
      gate.run(from(name.charAt(0), isKnown), async () => void order.push(name)).catch(() => void refused.push(name)),
    );
    resolve();
    await Promise.all([first, ...work]);
    return { order, refused };
  }

  it('floods from one neighbourhood: others take turns with it, known devices have half of it', async () => {
    expect(
      await orderOf(new Gate(1, 8, 4), [['a1'], ['a2'], ['a3'], ['a4'], ['a5'], ['b1'], ['k1', true], ['k2', true]]),
    ).toEqual({
      order: ['k1', 'a1', 'k2', 'b1', 'a2', 'a3', 'a4'],
      refused: ['a5'],
    });
  });

  it('fills the line from several neighbourhoods: whoever is alone in theirs gets in', async () => {
    expect(await orderOf(new Gate(1, 4, 3), [['a1'], ['a2'], ['a3'], ['b1'], ['c1'], ['b2']])).toEqual({
      order: ['a1', 'b1', 'c1', 'a2'],
      refused: ['a3', 'b2'],
    });
  });
});
