import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { AccountLock } from '../../src/users/index.js';
import { AuthoritySeals } from '../../src/common/access/authority-seals.js';
import { Database } from '../../src/database/index.js';
import { signUp, signUpAdministrator, type Actor } from '../support/actors.js';
import { startApp, type TestApp } from '../support/app.js';
import { HeldRows } from '../support/held-rows.js';
import { halfSignIn } from '../support/second-factors.js';
import { enrolTotp, nextCode, prove } from './factors/totp/app.js';

// Requests on two instances, each past its guard and its first reads, which go on in the same moment. The embedded
// database has one session.
describe('two at once: what was read before the wait does not decide [ASVS 15.4.2]', () => {
  let app: TestApp;

  beforeAll(async () => {
    app = await startApp({ env: { RATE_LIMIT_SCALE: '1000' } });
  });
  afterEach(() => vi.restoreAllMocks());
  afterAll(() => app.close());

  const openSessions = ({ userId }: Actor) =>
    app.sql('SELECT id FROM sessions WHERE user_id = $1 AND ended_at IS NULL AND NOT factor_due', [userId]);

  const refusal =
    ({ userId }: Actor, reason: string) =>
    (event: Record<string, unknown>) =>
      event['target_id'] === userId && (event['details'] as { reason?: string }).reason === reason;

  describe('the last administrator stays [A5-5]', () => {
    const administrators = () => app.sql(`SELECT id FROM users WHERE 'admin' = ANY (roles) AND status = 'active'`);
    const demote = (index: number, by: Actor, whom: Actor) =>
      app.on(index).request('PATCH', `/v1/users/${whom.userId}/roles`, { token: by.token, body: { roles: ['user'] } });
    // With: administration.
    const lock = (index: number, by: Actor, whom: Actor) =>
      app
        .on(index)
        .request('PATCH', `/v1/users/${whom.userId}/status`, { token: by.token, body: { status: 'disabled' } });
    const remove = (index: number, whom: Actor) =>
      app.on(index).request('DELETE', '/v1/users/me', { token: whom.token });

    type Both = (one: Actor, other: Actor) => Promise<{ status: number }>[];
    const races: readonly (readonly [string, number[], Both])[] = [
      ['demote each other', [200, 403], (one, other) => [demote(0, one, other), demote(1, other, one)]],
      // With: administration.
      ['lock each other', [200, 401], (one, other) => [lock(0, one, other), lock(1, other, one)]],
      ['delete themselves', [204, 409], (one, other) => [remove(0, one), remove(1, other)]],
    ];

    it.each(races)('two administrators %s: %o, and one is left', async (_, statuses, both) => {
      await app.operate(`UPDATE users SET roles = '{user}'`);
      const pair = [await signUpAdministrator(app, 'one'), await signUpAdministrator(app, 'other')] as const;
      const held = await HeldRows.of(app, 'SELECT id FROM users WHERE id = ANY ($1) ORDER BY id', [
        pair.map(({ userId }) => userId),
      ]);
      const answers = both(...pair);
      await held.untilWaiting(2);
      await held.release();
      expect((await Promise.all(answers)).map(({ status }) => status).toSorted()).toEqual(statuses);
      expect(await administrators()).toHaveLength(1);
    });
  });

  // With: totp.
  describe('a code of the authenticator app counts once [ASVS 6.5.1]', () => {
    /**
     * As if nobody had to wait for the person: what is left is what the statement that uses the code up does by
     * itself.
     */
    const withoutTheLock = (index: number): void => {
      const nest = app.on(index).service.app;
      const database: Database = nest.get(Database, { strict: false });
      const [lock, seals] = [nest.get(AccountLock, { strict: false }), nest.get(AuthoritySeals, { strict: false })];
      vi.spyOn(lock, 'hold').mockImplementation((userId, work) =>
        database.transaction(async () => {
          const select = { id: true, roles: true, status: true, secondFactors: true, authorityMac: true } as const;
          const row = await database.client.user.findUniqueOrThrow({ where: { id: userId }, select });
          return work(seals.trusted(row));
        }),
      );
    };

    it.each([
      ['held by the lock of the person', 'users WHERE id', () => undefined],
      [
        'without that lock, by the one statement alone',
        'totp_authenticators WHERE user_id',
        () => [0, 1].map(withoutTheLock),
      ],
    ])('one code from two half sessions, %s: one whole session begins', async (_, rows, prepare) => {
      const alice = await enrolTotp(app, await signUp(app, 'alice'));
      const halves = [await halfSignIn(app, alice), await halfSignIn(app, alice)];
      const before = (await openSessions(alice)).length;
      const code = nextCode(app, alice.secret);
      prepare();
      const held = await HeldRows.of(app, `SELECT 1 FROM ${rows} = $1`, [alice.userId]);
      const answers = halves.map((half, index) => prove(app, half, code, index));
      await held.untilWaiting(2);
      await held.release();
      expect((await Promise.all(answers)).map(({ status }) => status).toSorted()).toEqual([200, 401]);
      expect(await openSessions(alice)).toHaveLength(before + 1);
      await app.auditEvent('authn_factor_fail', refusal(alice, 'used'));
    });
  });

  it('a password is proved right while its change waits: 401, no session [ASVS 7.4.3]', async () => {
    const alice = await signUp(app, 'alice');
    const held = await HeldRows.of(app, 'SELECT 1 FROM users WHERE id = $1', [alice.userId]);
    const body = { oldPassword: alice.password, newPassword: 'pebbles hum beneath the quay' };
    const changed = app.on(0).request('POST', '/v1/auth/password/change', { token: alice.token, body });
    await held.untilWaiting(1);
    const proved = app
      .on(1)
      .request('POST', '/v1/auth/login', { body: { email: alice.email, password: alice.password } });
    await held.untilWaiting(2);
    await held.release();
    expect((await Promise.all([changed, proved])).map(({ status }) => status)).toEqual([204, 401]);
    expect(await openSessions(alice)).toHaveLength(1);
    await app.auditEvent('authn_login_fail', refusal(alice, 'changed-meanwhile'));
  });
});
