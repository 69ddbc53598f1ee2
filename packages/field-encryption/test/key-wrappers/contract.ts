import { randomBytes, randomUUIDv7 } from 'node:crypto';
import { inspect } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { KeyWrapper, WrapContext, WrappedKey } from '../../src/keys/key-wrapper.js';

export interface Candidate {
  readonly wrapper: KeyWrapper;
  /** The same wrapper, with nobody at the address of its service. Left out: it has no service. */
  readonly unreachable?: KeyWrapper;
  close(): Promise<void>;
}

export const newContext = (): WrapContext => ({ dataKeyId: randomUUIDv7(), purpose: 'pii', subject: randomUUIDv7() });

/** Every form in which somebody could print the secret. */
export const printsOf = (secret: Buffer): string[] => [
  ...(['hex', 'base64', 'base64url'] as const).map((form) => secret.toString(form)),
  inspect(secret).slice(8, 60),
];

const isUnavailable = { name: 'KeyServiceUnavailable', code: 'KEY_SERVICE_UNAVAILABLE' };

/** What every key wrapper promises, whoever holds the key-encryption key. */
export function keyWrapperContract(name: string, open: () => Promise<Candidate>): void {
  describe(`${name}: the contract of key wrappers [practice 7.3] [ASVS 13.3.3]`, () => {
    let candidate: Candidate;
    let wrapper: KeyWrapper;
    let secret: Buffer;
    let context: WrapContext;
    let key: WrappedKey;
    const printed: string[] = [];

    beforeAll(async () => {
      candidate = await open();
      wrapper = candidate.wrapper;
      for (const stream of [process.stdout, process.stderr]) {
        const write = stream.write.bind(stream);
        vi.spyOn(stream, 'write').mockImplementation(
          (chunk) => (printed.push(Buffer.from(chunk as string).toString()), write(chunk)),
        );
      }
    });
    afterAll(async () => {
      vi.restoreAllMocks();
      await candidate.close();
    });
    beforeEach(async () => {
      [secret, context] = [randomBytes(32), newContext()];
      key = await wrapper.wrap(secret, context);
    });
    afterEach(() => {
      for (const form of printsOf(secret)) expect(printed.join('')).not.toContain(form);
    });

    it('what it wrapped, it unwraps; the wrapped text and its key fit their columns and hold no secret', async () => {
      expect(await wrapper.unwrap(key, context)).toEqual(secret);
      for (const form of printsOf(secret)) expect(JSON.stringify(key)).not.toContain(form);
      expect(key.wrapped).toMatch(/^[\w+/=:-]{80,9000}$/);
      expect(key.wrappingKey).toMatch(/^[\w:/.-]{1,200}$/);
    });

    it('wraps the same secret twice: two different texts', async () => {
      expect((await wrapper.wrap(secret, context)).wrapped).not.toBe(key.wrapped);
    });

    it('keeps twenty apart that are wrapped and unwrapped at once', async () => {
      const all = Array.from({ length: 20 }, () => ({ secret: randomBytes(32), context: newContext() }));
      const keys = await Promise.all(all.map((one) => wrapper.wrap(one.secret, one.context)));
      expect(await Promise.all(keys.map((one, at) => wrapper.unwrap(one, all[at]?.context ?? context)))).toEqual(
        all.map((one) => one.secret),
      );
    });

    it.each([
      ['dataKeyId', () => ({ dataKeyId: randomUUIDv7() })],
      ['purpose', () => ({ purpose: 'jwt' as const })],
      ['subject', () => ({ subject: randomUUIDv7() })],
      [
        'subject, which takes a letter from the purpose',
        () => ({ purpose: 'pi' as never, subject: `i${context.subject}` }),
      ],
    ])('is given a wrapped key with another %s: opens nothing [ASVS 11.3.3]', async (_, change) => {
      expect(await wrapper.unwrap(key, { ...context, ...change() })).toBeUndefined();
    });

    it('gets the wrapped key of another data key: opens nothing', async () => {
      const other = await wrapper.wrap(randomBytes(32), newContext());
      expect(await wrapper.unwrap({ ...key, wrapped: other.wrapped }, context)).toBeUndefined();
    });

    it('finds one character changed, anywhere: opens nothing', async () => {
      const { length } = key.wrapped;
      for (const at of [
        0,
        9,
        12,
        Math.floor(length / 3),
        Math.floor(length / 2),
        length - 20,
        length - 3,
        length - 2,
        length - 1,
      ]) {
        const character = key.wrapped[at] === 'A' ? 'B' : 'A';
        const wrapped = key.wrapped.slice(0, at) + character + key.wrapped.slice(at + 1);
        expect([at, await wrapper.unwrap({ ...key, wrapped }, context)]).toEqual([at, undefined]);
      }
    });

    it('finds it cut, lengthened, spelt otherwise or empty: opens nothing', async () => {
      const { wrapped } = key;
      const others = [
        ...[1, 2, 3, 4, 8, 40].map((count) => wrapped.slice(0, -count)),
        `${wrapped}A`,
        `${wrapped}AAAA`,
        `${wrapped}=`,
        `${wrapped}\n`,
        ` ${wrapped}`,
        '',
        'A'.repeat(20_000),
      ];
      for (const other of others)
        expect([other, await wrapper.unwrap({ ...key, wrapped: other }, context)]).toEqual([other, undefined]);
    });

    it.each([
      '',
      'another',
      'arn:aws:kms:eu-central-1:444455556666:key/4d3f0cdc-0b4a-4b7d-9d0f-2f4f3ab9c001',
      '../transit/data-keys',
      'transit/data-keys/../other',
    ])('is told that the key %j wrapped it: opens nothing', async (wrappingKey) => {
      expect(await wrapper.unwrap({ ...key, wrappingKey }, context)).toBeUndefined();
    });

    it('has lost its service: says so, wraps nothing and calls nothing broken', async () => {
      const { unreachable } = candidate;
      if (unreachable === undefined) {
        // The key ring is in this process: there is no service to lose.
        expect(wrapper.name).toBe('local');
        return;
      }
      for (const asked of [() => unreachable.unwrap(key, context), () => unreachable.wrap(secret, context)]) {
        const error: unknown = await asked().then(
          () => undefined,
          (thrown: unknown) => thrown,
        );
        expect(error).toMatchObject(isUnavailable);
        for (const form of printsOf(secret))
          expect(inspect(error, { depth: 10, showHidden: true })).not.toContain(form);
      }
    });
  });
}

/**
 * Answers of a service that are neither a key nor the word that a key is broken. Stubs only: no real one can be told
 * to. @public: every user of it can be removed.
 */
export async function expectOutage(wrapper: KeyWrapper, key: WrappedKey, context: WrapContext): Promise<void> {
  const secret = randomBytes(32);
  for (const asked of [() => wrapper.unwrap(key, context), () => wrapper.wrap(secret, context)]) {
    const error: unknown = await asked().then(
      () => 'nothing was thrown',
      (thrown: unknown) => thrown,
    );
    expect(error).toMatchObject(isUnavailable);
    expect((error as Error).cause).toBeUndefined();
    for (const form of printsOf(secret)) expect(inspect(error, { depth: 10, showHidden: true })).not.toContain(form);
  }
}
