import { expect, vi } from 'vitest';
import type { CommandEnds } from '../../cli/ends.js';
import { signIn, signUp } from '../../support/actors.js';
import type { TestApp } from '../../support/app.js';

const me = async (app: TestApp, token: string) => (await app.request('GET', '/v1/users/me', { token })).status;

export const commandEnds: CommandEnds = {
  async 'users:disable'(app, end) {
    const eve = await signUp(app, 'eve');
    expect(await end('users:disable', [eve.email])).toMatchObject({ code: 0, output: `disabled ${eve.userId}\n` });
    await vi.waitFor(async () => expect(await me(app, eve.token)).toBe(401));
    const { status } = await app.request('POST', '/v1/auth/login', {
      body: { email: eve.email, password: eve.password },
    });
    expect(status).toBe(401);
  },

  async 'users:enable'(app, end) {
    const finn = await signUp(app, 'finn');
    await end('users:disable', [finn.email]);
    expect(await end('users:enable', [finn.email])).toMatchObject({ code: 0, output: `enabled ${finn.userId}\n` });
    expect(await me(app, (await signIn(app, finn)).token)).toBe(200);
  },

  async 'sessions:end'(app, end) {
    const gus = await signUp(app, 'gus');
    expect(await end('sessions:end', [gus.email])).toMatchObject({
      code: 0,
      output: expect.stringMatching(/^ended 1 sessions/),
    });
    await vi.waitFor(async () => expect(await me(app, gus.token)).toBe(401));
    const again = await signIn(app, gus);
    expect(await end('sessions:end', ['--all'])).toMatchObject({ code: 0 });
    await vi.waitFor(async () => expect(await me(app, again.token)).toBe(401));
  },
};
