import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Operator } from '../../cli/operator.js';
import { signIn, signUp, signUpAdministrator } from '../../support/actors.js';
import { startApp, type TestApp } from '../../support/app.js';

// The commands as operators run them: processes of their own, beside the running service.

let app: TestApp;
let operator: Operator;

beforeAll(async () => {
  app = await startApp({ env: { RATE_LIMIT_SCALE: '1000' } });
  operator = new Operator(app);
});
afterAll(async () => {
  operator.close();
  await app.close();
});

/** Without Redis nothing tells the service what another process did: then the 2 seconds of its micro-cache count. */
const expectEverywhere = (token: string, status: number) =>
  expect
    .poll(
      () =>
        Promise.all(
          app.instances.map(async (instance) => (await instance.request('GET', '/v1/users/me', { token })).status),
        ),
      { timeout: 3_000 },
    )
    .toEqual(app.instances.map(() => status));

describe('operators lock accounts and end sessions, without a sign-in', () => {
  it('users:disable, users:enable: sessions end, the owner is let in again [ASVS 7.4.2]', async () => {
    const vic = await signUp(app, 'vic');
    await expectEverywhere(vic.token, 200);
    expect(await operator.run('users:disable', vic.email.toUpperCase())).toEqual({
      code: 0,
      output: `disabled ${vic.userId}\n`,
    });
    await expectEverywhere(vic.token, 401);
    expect(await operator.run('users:disable', vic.email)).toEqual({
      code: 0,
      output: `nothing to do: ${vic.userId} is disabled already\n`,
    });
    expect(await operator.run('users:enable', vic.email)).toEqual({ code: 0, output: `enabled ${vic.userId}\n` });
    await expectEverywhere(vic.token, 401);
    await signIn(app, vic);
    for (const action of ['user_disabled', 'user_enabled']) {
      expect(await app.auditEvent(action, ({ target_id }) => target_id === vic.userId)).toMatchObject({
        actor_id: null,
        details: { by: 'operator' },
      });
    }
  });

  it('users:disable of the last administrator: exit code 1, and the account stays open [A5-5]', async () => {
    const admin = await signUpAdministrator(app);
    expect(await operator.run('users:disable', admin.email)).toEqual({
      code: 1,
      output: 'The last administrator has to stay one.\n',
    });
    await expectEverywhere(admin.token, 200);
  });

  it('sessions:end of one person, then of everyone: out at once, with a count [ASVS 7.4.5]', async () => {
    const [vic, other] = [await signUp(app, 'vic'), await signUp(app, 'other')];
    await signIn(app, vic);
    expect(await operator.run('sessions:end', vic.email)).toEqual({
      code: 0,
      output: `ended 2 sessions of ${vic.userId}\n`,
    });
    await expectEverywhere(vic.token, 401);
    await expectEverywhere(other.token, 200);
    expect(await operator.run('sessions:end', '--all')).toMatchObject({
      code: 0,
      output: expect.stringMatching(/^ended [1-9]\d* sessions of everyone\n$/),
    });
    await expectEverywhere(other.token, 401);
    expect(await app.sql('SELECT id FROM sessions WHERE ended_at IS NULL')).toEqual([]);
    await app.auditEvent(
      'session_expired',
      ({ details }) => (details as { everyone?: boolean; by?: string }).everyone === true,
    );
  });

  it.each([
    ['users:disable'],
    ['users:enable', 'a@example.org', 'b@example.org'],
    ['sessions:end'],
    ['sessions:end', '--everyone'],
    ['sessions:end', '--all', 'a@example.org'],
  ])('is mistyped (%s %s %s): told how it goes, exit code 2', async (...args) =>
    expect(await operator.run(...args.filter((word) => word !== undefined))).toMatchObject({
      code: 2,
      output: expect.stringContaining('usage: '),
    }),
  );

  it.each(['users:disable', 'users:enable', 'sessions:end'])(
    '%s of an address that nobody has: exit code 1',
    async (command) =>
      expect(await operator.run(command, 'nobody@example.org')).toEqual({
        code: 1,
        output: 'nobody has that e-mail address\n',
      }),
  );
});
