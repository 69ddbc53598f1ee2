import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readConfig } from '../../../src/config/index.js';
import { signIn, signUp, type Actor } from '../../support/actors.js';
import { startApp, type TestApp } from '../../support/app.js';
import { decode } from '../forge.js';

describe('strict mode: REFRESH_REUSE_GRACE_SECONDS=0 (RFC 9700 s4.14) [ASVS 10.4.5]', () => {
  let app: TestApp;
  let alice: Actor;
  beforeAll(async () => {
    app = await startApp({ env: { REFRESH_REUSE_GRACE_SECONDS: '0' } });
    alice = await signUp(app, 'alice');
  });
  afterAll(() => app.close());

  const refresh = (refreshToken: string, instance = 0) =>
    app.on(instance).request('POST', '/v1/auth/refresh', { body: { refreshToken } });
  const reasonOf = async (token: string) =>
    (await app.sql('SELECT end_reason FROM sessions WHERE id = $1', [decode(token).payload['sid']]))[0]?.['end_reason'];

  it('an honest client that refreshes one at a time keeps its session', async () => {
    let { refreshToken } = await signIn(app, alice);
    for (let round = 0; round < 5; round++) {
      const { status, body } = await refresh(refreshToken, round);
      expect(status).toBe(200);
      ({ refreshToken } = body);
    }
  });

  it('presents a used token in the same moment: 401, and the session is over [A2-4]', async () => {
    const { token, refreshToken } = await signIn(app, alice);
    const { body } = await refresh(refreshToken);
    expect((await refresh(refreshToken, 1)).status).toBe(401);
    expect((await refresh(body.refreshToken)).status).toBe(401);
    expect(await reasonOf(token)).toBe('refresh-token-reuse');
  });

  it('presents it to an instance whose clock is behind: no grace comes of the difference either [A2-4]', async () => {
    const { token, refreshToken } = await signIn(app, alice);
    await refresh(refreshToken);
    await app.sql(`UPDATE sessions SET refreshed_at = refreshed_at + interval '3 seconds' WHERE id = $1`, [
      decode(token).payload['sid'],
    ]);
    expect((await refresh(refreshToken, 1)).status).toBe(401);
    expect(await reasonOf(token)).toBe('refresh-token-reuse');
  });

  it('50 in parallel: one gets a successor, which dies with the session [A2-4]', async () => {
    const { token, refreshToken } = await signIn(app, alice);
    const answers = await Promise.all(Array.from({ length: 50 }, (_, index) => refresh(refreshToken, index)));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, ...Array.from({ length: 49 }, () => 401)]);
    expect(await reasonOf(token)).toBe('refresh-token-reuse');
    const successor = answers.find(({ status }) => status === 200)?.body.refreshToken as string;
    expect((await refresh(successor)).status).toBe(401);
    expect(
      await app.sql(`SELECT id FROM audit_events WHERE action = 'authn_token_reuse' AND target_id = $1`, [
        decode(token).payload['sid'],
      ]),
    ).toHaveLength(1);
  });
});

describe('the grace is configured in whole seconds', () => {
  it.each([
    ['0', 0],
    ['60', 60],
    [undefined, 10],
    ['', 10],
  ])('%j: %d seconds', (text, seconds) => {
    expect(readConfig({ REFRESH_REUSE_GRACE_SECONDS: text }).refreshReuseGraceSeconds).toBe(seconds);
  });

  it.each(['61', '-1', '1.5', 'strict', '10s'])('%s stops the boot', (text) => {
    expect(() => readConfig({ REFRESH_REUSE_GRACE_SECONDS: text })).toThrow(
      /REFRESH_REUSE_GRACE_SECONDS: set a whole number from 0 to 60/,
    );
  });

  it('2 seconds: the same successor after one, theft after three', async () => {
    const app = await startApp({ env: { REFRESH_REUSE_GRACE_SECONDS: '2' }, instances: 1 });
    const { refreshToken } = await signUp(app, 'alice');
    const refresh = async () => app.request('POST', '/v1/auth/refresh', { body: { refreshToken } });
    const first = await refresh();
    app.clock.advance(1);
    expect((await refresh()).body.refreshToken).toBe(first.body.refreshToken);
    app.clock.advance(2);
    expect((await refresh()).status).toBe(401);
    await app.close();
  });
});
