import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mailedToken, signIn, signUp, type Actor } from '../../../support/actors.js';
import { startApp, type TestApp } from '../../../support/app.js';
import { publicUrl } from '../../forge.js';
import { visible } from '../../visible.js';

describe('change of the e-mail address (ASVS V6.3.7, V7.5.1)', () => {
  let app: TestApp;

  beforeAll(async () => {
    app = await startApp();
  });
  afterAll(() => app.close());

  const newAddress = () => `new.${randomBytes(6).toString('hex')}@example.org`;
  const change = (actor: Pick<Actor, 'token'>, email: string) =>
    app.request('POST', '/v1/auth/email/change', { token: actor.token, body: { email } });
  const confirm = (token: string, instance = 0) =>
    app.on(instance).request('POST', '/v1/auth/email/confirm', { body: { token } });
  const login = (email: string, password: string) =>
    app.request('POST', '/v1/auth/login', { body: { email, password } });
  const me = (token: string, instance = 0) => app.on(instance).request('GET', '/v1/users/me', { token });

  /** Asks for the change and reads both mails. */
  async function tokensOf(actor: Actor, to: string): Promise<{ old: string; new: string }> {
    expect((await change(actor, ` ${to.toUpperCase()} `)).status).toBe(202);
    await app.mailQuiet();
    return { old: await mailedToken(app, actor.email), new: await mailedToken(app, to) };
  }

  it.each([
    ['old', 'new'],
    ['new', 'old'],
  ] as const)(
    'an honest user confirms at the %s and then at the %s address: changed, and all sessions end [ASVS 6.3.7]',
    async (first, second) => {
      const alice = await signUp(app, 'alice');
      const to = newAddress();
      const tokens = await tokensOf(alice, to);
      expect((await confirm(tokens[first])).status).toBe(204);
      expect([(await login(to, alice.password)).status, (await me(alice.token, 1)).body.email]).toEqual([
        401,
        alice.email,
      ]);
      expect((await confirm(tokens[second])).status).toBe(204);
      await expect.poll(async () => (await me(alice.token, 1)).status).toBe(401);
      expect((await login(alice.email, alice.password)).status).toBe(401);
      const { token } = await signIn(app, { email: to, password: alice.password });
      expect((await me(token)).body).toMatchObject({ id: alice.userId, email: to });
      await app.auditEvent('user_email_changed', ({ target_id }) => target_id === alice.userId);
      // With: notices.
      for (const told of [alice.email, to]) await app.mailTo(told, 'Your e-mail address was changed');
    },
  );

  it('exports what is known of a change that waits, the new address too, and no token [practice 7.3]', async () => {
    const alice = await signUp(app, 'alice');
    const to = newAddress();
    const tokens = await tokensOf(alice, to);
    expect((await confirm(tokens.new)).status).toBe(204);
    const { status, body, text } = await app.request('GET', '/v1/users/me/export', { token: alice.token });
    const time = expect.stringMatching(/^\d{4}-/);
    expect([status, body.emailChange]).toEqual([
      200,
      { newEmail: to, oldConfirmedAt: null, newConfirmedAt: time, expiresAt: time, createdAt: time },
    ]);
    for (const secret of [tokens.old, tokens.new]) expect(text).not.toContain(secret);
  });

  it("never confirms: the address, perhaps a stranger's, goes with the next change of anybody", async () => {
    const [alice, bob] = [await signUp(app, 'alice'), await signUp(app, 'bob')];
    await change(alice, newAddress());
    await app.sql(`UPDATE one_time_tokens SET expires_at = now() - interval '1 second' WHERE user_id = $1`, [
      alice.userId,
    ]);
    expect((await change(bob, newAddress())).status).toBe(202);
    expect(
      await app.sql('SELECT DISTINCT user_id FROM one_time_tokens WHERE user_id = ANY ($1)', [
        [alice.userId, bob.userId],
      ]),
    ).toEqual([{ user_id: bob.userId }]);
  });

  it('confirms at one address twice: 400, and nothing changes [A2-5] [ASVS 6.4.1]', async () => {
    const alice = await signUp(app, 'alice');
    const tokens = await tokensOf(alice, newAddress());
    expect([(await confirm(tokens.new)).status, (await confirm(tokens.new)).status]).toEqual([204, 400]);
    expect((await me(alice.token)).body.email).toBe(alice.email);
    await app.auditEvent('authn_token_fail', ({ details }) => (details as { flow?: string }).flow === 'email-change');
  });

  it('confirms at both addresses at once, 10 times on all instances: changed once [ASVS 15.4.2]', async () => {
    const alice = await signUp(app, 'alice');
    const to = newAddress();
    const tokens = await tokensOf(alice, to);
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, index) => confirm(index % 2 === 0 ? tokens.old : tokens.new, index >> 1)),
    );
    expect(answers.filter(({ status }) => status === 204)).toHaveLength(2);
    expect((await login(to, alice.password)).status).toBe(200);
    expect(
      await app.sql(`SELECT 1 FROM audit_events WHERE action = 'user_email_changed' AND target_id = $1`, [
        alice.userId,
      ]),
    ).toHaveLength(1);
  });

  it('a thief with a session of ten minutes ago asks: 401, no mail, no row [A2-8] [ASVS 7.5.1]', async () => {
    const alice = await signUp(app, 'alice');
    await app.operate(
      `UPDATE sessions SET authenticated_at = authenticated_at - interval '10 minutes' WHERE user_id = $1`,
      [alice.userId],
    );
    app.clock.advance(3);
    expect(await change(alice, newAddress())).toMatchObject({
      status: 401,
      body: { type: '/problems/step-up-required' },
    });
    expect(await app.sql('SELECT 1 FROM one_time_tokens WHERE user_id = $1', [alice.userId])).toEqual([]);
  });

  it('asks for an address that is taken: the same answer, and its owner is told [A2-2] [ASVS 6.3.8]', async () => {
    const [alice, bob, carol] = [await signUp(app, 'alice'), await signUp(app, 'bob'), await signUp(app, 'carol')];
    expect(visible(await change(carol, newAddress()))).toEqual(visible(await change(alice, bob.email)));
    const { text } = await app.mailTo(bob.email, 'This address has an account already');
    expect(text).not.toMatch(/[A-Za-z0-9_-]{40,}/);
    expect(text).not.toContain(alice.email);
    await app.mailQuiet();
    expect((await confirm(await mailedToken(app, alice.email))).status).toBe(204);
    expect((await me(alice.token)).body.email).toBe(alice.email);
    expect((await login(bob.email, bob.password)).status).toBe(200);
  });

  it('somebody gets the address before the second token is used: nothing changes, a mail says so', async () => {
    const alice = await signUp(app, 'alice');
    const to = newAddress();
    const tokens = await tokensOf(alice, to);
    expect((await confirm(tokens.new)).status).toBe(204);
    const rival = await signUp(app, 'rival');
    const rivalTokens = await tokensOf(rival, to);
    for (const token of [rivalTokens.old, rivalTokens.new]) expect((await confirm(token)).status).toBe(204);
    expect((await confirm(tokens.old)).status).toBe(204);
    expect((await me(alice.token)).body.email).toBe(alice.email);
    expect(
      (await me(await signIn(app, { email: to, password: rival.password }).then(({ token }) => token))).body.id,
    ).toBe(rival.userId);
    await app.mailTo(alice.email, 'Your address was not changed');
  });

  it('uses tokens of an older request after a newer one: 400 [A2-5] [ASVS 6.6.2]', async () => {
    const alice = await signUp(app, 'alice');
    const older = await tokensOf(alice, newAddress());
    const newer = await tokensOf(alice, newAddress());
    expect([(await confirm(older.old)).status, (await confirm(older.new)).status]).toEqual([400, 400]);
    expect([(await confirm(newer.old)).status, (await confirm(newer.new)).status]).toEqual([204, 204]);
  });

  it('moves their tokens to a victim by SQL: 400 [A2-5] [practice 7.3]', async () => {
    const [mallory, victim] = [await signUp(app, 'mallory'), await signUp(app, 'victim')];
    const [mine, theirs] = [await tokensOf(mallory, newAddress()), await tokensOf(victim, newAddress())];
    await app.sql(
      `UPDATE one_time_tokens t SET token_mac = m.token_mac FROM one_time_tokens m
       WHERE t.user_id = $1 AND m.user_id = $2 AND t.purpose = m.purpose`,
      [victim.userId, mallory.userId],
    );
    await app.sql('UPDATE one_time_tokens SET user_id = $1 WHERE user_id = $2', [victim.userId, mallory.userId]);
    const mixed = (['old', 'new'] as const).map((side) => theirs[side].slice(0, 32) + mine[side].slice(32));
    for (const token of [mine.old, mine.new, theirs.old, theirs.new, ...mixed])
      expect((await confirm(token)).status).toBe(400);
    expect((await me(victim.token)).body.email).toBe(victim.email);
  });

  it('makes the token of one side one of the other by SQL: it is of that side only [A2-5] [practice 7.3]', async () => {
    const victim = await signUp(app, 'victim');
    const tokens = await tokensOf(victim, newAddress());
    const mine = [victim.userId];
    await app.sql(
      `UPDATE one_time_tokens t SET token_mac = n.token_mac FROM one_time_tokens n
       WHERE t.user_id = $1 AND n.user_id = $1 AND t.purpose = 'email-change-old' AND n.purpose = 'email-change-new'`,
      mine,
    );
    expect((await confirm(tokens.old.slice(0, 32) + tokens.new.slice(32))).status).toBe(400);
    await app.sql(`DELETE FROM one_time_tokens WHERE user_id = $1 AND purpose = 'email-change-old'`, mine);
    await app.sql(`UPDATE one_time_tokens SET purpose = 'email-change-old' WHERE user_id = $1`, mine);
    expect((await confirm(tokens.new)).status).toBe(400);
    expect((await me(victim.token)).body.email).toBe(victim.email);
  });

  it('writes that the old side agreed by SQL: the new side alone changes nothing [A2-5] [practice 7.3]', async () => {
    const victim = await signUp(app, 'victim');
    const tokens = await tokensOf(victim, newAddress());
    await app.sql(`UPDATE one_time_tokens SET used_at = now() WHERE user_id = $1 AND purpose = 'email-change-old'`, [
      victim.userId,
    ]);
    expect((await confirm(tokens.new)).status).toBe(204);
    expect((await me(victim.token)).body.email).toBe(victim.email);
  });

  it('the change breaks off in the middle: nothing of it is there, and the tokens still work', async () => {
    const alice = await signUp(app, 'alice');
    const to = newAddress();
    const tokens = await tokensOf(alice, to);
    expect((await confirm(tokens.old)).status).toBe(204);
    await app.sql(
      `CREATE FUNCTION break_off() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'broken off'; END $$`,
    );
    await app.sql(
      `CREATE TRIGGER break_off BEFORE UPDATE OF ended_at ON sessions FOR EACH ROW EXECUTE FUNCTION break_off()`,
    );
    expect((await confirm(tokens.new)).status).toBe(500);
    await app.sql('DROP TRIGGER break_off ON sessions');
    expect((await me(alice.token)).body.email).toBe(alice.email);
    expect((await login(to, alice.password)).status).toBe(401);
    expect((await confirm(tokens.new)).status).toBe(204);
    expect((await login(to, alice.password)).status).toBe(200);
  });

  // With: recovery.
  it('had asked for a reset before: its token is worth nothing once the address has changed [A2-5]', async () => {
    const alice = await signUp(app, 'alice');
    await app.request('POST', '/v1/auth/password/forgot', { body: { email: alice.email } });
    await app.mailQuiet();
    const resetToken = await mailedToken(app, alice.email);
    const tokens = await tokensOf(alice, newAddress());
    for (const token of [tokens.old, tokens.new]) expect((await confirm(token)).status).toBe(204);
    expect(
      (
        await app.request('POST', '/v1/auth/password/reset', {
          body: { token: resetToken, password: 'violet harbour counts to nine' },
        })
      ).status,
    ).toBe(400);
  });

  it('reads the mails and the table: no link, nothing in clear [ASVS 14.2.1] [practice 7.3]', async () => {
    const alice = await signUp(app, 'alice');
    const to = newAddress();
    const tokens = await tokensOf(alice, to);
    const { text } = await app.mailTo(to, 'Confirm your new address');
    expect(text).toContain(`${publicUrl(app)}/v1/auth/email/confirm`);
    expect(text).not.toMatch(/https?:\S+[0-9a-f]{64}/);
    expect(text).not.toContain(alice.email);
    const rows = JSON.stringify([
      await app.sql('SELECT * FROM one_time_tokens'),
      await app.sql('SELECT * FROM audit_events'),
    ]);
    for (const secret of [to, alice.email, tokens.old, tokens.new.slice(32)]) expect(rows).not.toContain(secret);
  });

  // The last one moves the clock.
  it('confirms after two hours: 400 [ASVS 6.4.1]', async () => {
    const alice = await signUp(app, 'alice');
    const tokens = await tokensOf(alice, newAddress());
    app.clock.advance(2 * 60 * 60);
    expect([(await confirm(tokens.old)).status, (await confirm(tokens.new)).status]).toEqual([400, 400]);
  });
});
