import { expect, vi } from 'vitest';
import type { CommandEnds } from '../../cli/ends.js';
import { signUp } from '../../support/actors.js';
import { callWith, formatOf, makeKey } from './keys.js';

export const commandEnds: CommandEnds = {
  async 'api-keys:revoke'(app, end) {
    const hal = await signUp(app, 'hal');
    const [found, known] = [await makeKey(app, hal), await makeKey(app, hal)];
    for (const { id, key } of [
      { id: found.id, key: found.key },
      { id: known.id, key: known.id },
    ]) {
      expect(await end('api-keys:revoke', [key])).toMatchObject({ code: 0, output: `revoked ${id}\n` });
      expect(await end('api-keys:revoke', [key])).toMatchObject({ code: 1 });
    }
    for (const { key } of [found, known]) await vi.waitFor(async () => expect(await callWith(app, key)).toBe(401));
    // With: notices.
    await app.mailTo(hal.email, 'was revoked');
    const garbled = `${found.key.slice(0, -1)}-`;
    expect(await end('api-keys:revoke', [garbled])).toMatchObject({
      code: 1,
      output: expect.not.stringContaining(garbled),
    });
    await expect(end('api-keys:revoke', [])).rejects.toThrow('usage: api-keys:revoke <id or key>');
  },

  async 'api-keys:list'(app, end) {
    const ida = await signUp(app, 'ida');
    const { id, key } = await makeKey(app, ida);
    const { code, output } = await end('api-keys:list', [ida.email]);
    expect([code, output]).toEqual([0, expect.stringMatching(new RegExp(`^${id} .*never used.*sample:read`))]);
    expect(output).not.toContain(formatOf(app).read(key)?.secret);
    expect(await end('api-keys:list', ['nobody@example.org'])).toMatchObject({ code: 1 });
    await expect(end('api-keys:list', [])).rejects.toThrow('usage: api-keys:list <email>');
  },
};
