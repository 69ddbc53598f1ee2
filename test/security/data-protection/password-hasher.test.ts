import { beforeAll, describe, expect, it } from 'vitest';
import { readConfig, type Config } from '../../../src/config/index.js';
import { Gate } from '../../../src/security/data-protection/gate.js';
import { PasswordHasher } from '../../../src/security/data-protection/index.js';

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
    expect(await hasher.verify(hash, 'correct horse battery staple')).toBe(true);
    for (const wrong of ['', 'correct horse battery stapl', 'correct horse battery staple ', 'Correct horse battery staple']) {
      expect(await hasher.verify(hash, wrong)).toBe(false);
    }
  });

  it('does the work for an unknown account and refuses every password [ASVS 6.3.8] [A2-2]', async () => {
    const started = performance.now();
    expect(await hasher.verifyUnknown('correct horse battery staple')).toBe(false);
    // No exact time: an early exit would take microseconds, argon2id takes at least some milliseconds.
    expect(performance.now() - started).toBeGreaterThan(2);
  });

  it.each(['', 'plaintext', '$argon2i$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaA', '$2b$10$abcdefghijklmnopqrstuv'])(
    'plants "%s" as a stored hash: an error, never a match',
    async (planted) => {
      await expect(hasher.verify(planted, planted)).rejects.toThrow(/not argon2id/);
    },
  );

  it('asks for a new hash when memory or passes rise, and not when they fall', () => {
    expect(new PasswordHasher(config(19456, 2)).needsRehash(hash)).toBe(false);
    expect(new PasswordHasher(config(32768, 2)).needsRehash(hash)).toBe(true);
    expect(new PasswordHasher(config(19456, 3)).needsRehash(hash)).toBe(true);
    expect(new PasswordHasher(config(65536, 3)).needsRehash('$2b$10$abc')).toBe(true);
  });
});

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
    const outcomes = await Promise.allSettled(Array.from({ length: 10 }, () => gate.run(work)));
    expect(most).toBe(2);
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
    expect(refused).toHaveLength(5);
    expect(refused[0]?.reason).toMatchObject({ type: 'unavailable', extras: { headers: { 'Retry-After': '5' } } });
    await expect(gate.run(async () => 'free again')).resolves.toBe('free again');
  });

  it('gives the place back when the work throws', async () => {
    const gate = new Gate(1, 0);
    await expect(gate.run(() => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    await expect(gate.run(async () => 1)).resolves.toBe(1);
  });
});
