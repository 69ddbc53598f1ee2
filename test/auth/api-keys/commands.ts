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

  async 'api-keys:tier'(app, end) {
    const joe = await signUp(app, 'joe');
    const { id, key } = await makeKey(app, joe);
    const why = ['--reason', 'more imports', '--operator', 'olga'];
    expect(await end('api-keys:tier', [id, 'high', ...why])).toMatchObject({ code: 0, output: `${id} is high\n` });
    expect(await app.sql('SELECT tier FROM api_keys WHERE id = $1', [id])).toEqual([{ tier: 'high' }]);
    await vi.waitFor(async () => {
      const answer = await app.request('GET', '/v1/samples', { token: key });
      expect(answer.status).toBe(200);
      // With: rate-limiting.
      expect(answer.headers['ratelimit-policy']).toContain('"api-key-day-high";q=100000');
    }, 5_000);
    const { details } = await app.auditEvent('api_key_tier_changed', (row) => row['target_id'] === joe.userId);
    expect(details).toMatchObject({ key: id, from: 'standard', to: 'high', operator: 'olga', reason: 'more imports' });

    // Changed past the service: it gets no new seal by this.
    await app.sql(`UPDATE api_keys SET scopes = scopes || '{sample:create}' WHERE id = $1`, [id]);
    expect(await end('api-keys:tier', [id, 'standard', ...why])).toMatchObject({ code: 1 });
    expect(await app.sql('SELECT tier FROM api_keys WHERE id = $1', [id])).toEqual([{ tier: 'high' }]);
    expect(await end('api-keys:tier', [joe.userId, 'high', ...why])).toMatchObject({ code: 1 });
    await expect(end('api-keys:tier', [id, 'high'])).rejects.toThrow('usage: api-keys:tier <id>');
    await expect(end('api-keys:tier', [id, 'endless', ...why])).rejects.toThrow('usage: api-keys:tier <id>');
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
