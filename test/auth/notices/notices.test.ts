import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Notices } from '../../../src/auth/notices/notices.js';
import { traceOf } from '../../../src/common/http/trace-context.js';
import { runInRequestContext } from '../../../src/common/http/request-context.js';
import { SecurityEvents, type SecurityAction, type SecurityEvent } from '../../../src/common/events/security-events.js';
import { Database } from '../../../src/database/index.js';
import { signIn, signUp, signUpAdministrator, type Actor } from '../../support/actors.js';
import { Operator } from '../../cli/operator.js';
import { startApp, type TestApp } from '../../support/app.js';
import { publicUrl } from '../forge.js';
import { rows } from './notices.parts.js';

const anIdOrToken = /[0-9a-f]{8}-[0-9a-f]{4}|[\w-]{40,}/;
const hour = 60 * 60;

describe('people are told what happens to their account [ASVS 6.3.5] [ASVS 6.3.7]', () => {
  let app: TestApp;
  let alice: Actor;
  let admin: Actor;

  beforeAll(async () => {
    app = await startApp();
    alice = await signUp(app, 'alice');
    admin = await signUpAdministrator(app);
  });
  afterAll(() => app.close());

  const get = <T>(type: new (...parameters: never[]) => T): T => app.on(0).service.app.get<T>(type, { strict: false });
  const database = () => app.on(0).service.app.get(Database, { strict: false });
  const record = (event: Partial<SecurityEvent> & { action: SecurityAction }) =>
    database().transaction(() =>
      get(SecurityEvents).recordInTransaction({
        outcome: 'success',
        target: { type: 'user', id: alice.userId },
        ...event,
      }),
    );
  const mailsTo = async (address: string, subject: string) => {
    await app.mailQuiet();
    return app.outbox().filter((mail) => mail.to === address && mail.subject === subject);
  };

  it.each(rows.map(([action, subject, words, details = {}]) => ({ action, subject, words, details })))(
    '$action: "$subject" ($words), in text and HTML, and nothing secret in it',
    async ({ action, subject, words, details }) => {
      await record({ action: action as SecurityAction, details });
      const mails = (await mailsTo(alice.email, subject)).filter(({ text }) => text.includes(words));
      expect(mails).toHaveLength(1);
      for (const part of [mails[0]?.text, mails[0]?.html]) {
        expect(part).toContain(publicUrl(app));
        expect(part).toMatch(/When: \d{4}-\d\d-\d\d \d\d:\d\d UTC/);
        expect(part).toMatch(/If (it was not you|you did not expect this)/);
        expect(part).not.toMatch(anIdOrToken);
      }
    },
  );

  it('an administrator gives a role: its owner is told, without the address of the administrator', async () => {
    const bob = await signUp(app, 'bob');
    const body = { roles: ['user', 'admin'] };
    expect((await app.request('PATCH', `/v1/users/${bob.userId}/roles`, { token: admin.token, body })).status).toBe(
      200,
    );
    const { text } = await app.mailTo(bob.email, 'Your roles were changed');
    expect(text).not.toContain('network');
    expect(text).not.toContain(admin.email);
    expect(await mailsTo(admin.email, 'Your roles were changed')).toEqual([]);
  });

  it('an operator gives a role, beside the running service: told as well', async () => {
    const gil = await signUp(app, 'gil');
    expect((await new Operator(app).run('users:grant', gil.email, 'admin')).code).toBe(0);
    expect((await app.mailTo(gil.email, 'Your roles were changed')).text).not.toContain('network');
  });

  it('a used refresh token comes back: the owner is told once, with the network, coarsely', async () => {
    const { refreshToken } = await signIn(app, alice);
    const refresh = () => app.request('POST', '/v1/auth/refresh', { body: { refreshToken }, from: '127.1.2.3' });
    await refresh();
    app.clock.advance(11);
    for (let times = 0; times < 3; times++) expect((await refresh()).status).toBe(401);
    const [mail, ...more] = await mailsTo(alice.email, 'You were signed out for your safety');
    expect([mail?.text.includes('From the network: 127.1.2.0/24'), more]).toEqual([true, []]);
  });

  it('a person leaves, by two requests at once: one farewell, to the address that is gone by then', async () => {
    const carol = await signUp(app, 'carol');
    const answers = await Promise.all(
      [0, 1].map((instance) => app.on(instance).request('DELETE', '/v1/users/me', { token: carol.token })),
    );
    expect(answers.map(({ status }) => status)).toContain(204);
    expect(await mailsTo(carol.email, 'Your account was erased')).toHaveLength(1);
    expect(await app.sql('SELECT id FROM users WHERE id = $1', [carol.userId])).toEqual([]);
  });

  it('the change is rolled back: no notice of it', async () => {
    const before = (await mailsTo(alice.email, 'Your password was changed')).length;
    const change = database().transaction(async () => {
      await record({ action: 'authn_password_change' });
      throw new Error('rolled back');
    });
    await expect(change).rejects.toThrow('rolled back');
    expect(await mailsTo(alice.email, 'Your password was changed')).toHaveLength(before);
  });

  it('a second factor is guessed again and again: told at once, and once an hour', async () => {
    const dave = await signUp(app, 'dave');
    const event: SecurityEvent = {
      action: 'authn_factor_fail' as SecurityAction,
      outcome: 'denied',
      target: { type: 'user', id: dave.userId },
      details: { factor: 'sample' },
    };
    const context = { requestId: 'x', trace: traceOf(undefined), address: '203.0.113.9' };
    const refuse = () => runInRequestContext(context, () => get(SecurityEvents).reportLater(event));
    const told = async () => (await mailsTo(dave.email, 'A second factor was refused')).length;
    for (let times = 0; times < 20; times++) refuse();
    expect((await app.mailTo(dave.email, 'A second factor was refused')).text).toContain(
      'From the network: 203.0.113.0/24',
    );
    expect(await told()).toBe(1);
    app.clock.advance(hour);
    refuse();
    await expect.poll(told).toBe(2);
  });

  it('a refusal inside of a transaction that is rolled back by it is told all the same', async () => {
    const erin = await signUp(app, 'erin');
    const refused = database().transaction(async () => {
      get(SecurityEvents).reportLater({
        action: 'authn_factor_fail' as SecurityAction,
        outcome: 'denied',
        target: { type: 'user', id: erin.userId },
      });
      throw new Error('refused');
    });
    await expect(refused).rejects.toThrow('refused');
    await app.mailTo(erin.email, 'A second factor was refused');
  });

  it('the address does not open: the change goes on without a notice, and the fault is reported', async () => {
    const fay = await signUp(app, 'fay');
    await app.sql('UPDATE users SET email = name WHERE id = $1', [fay.userId]);
    await record({ action: 'authn_password_change', target: { type: 'user', id: fay.userId } });
    await app.auditEvent('authn_password_change', ({ target_id }) => target_id === fay.userId);
    await app.auditEvent('crypt_decrypt_fail', ({ target_id }) => target_id === fay.userId);
    expect(await mailsTo(fay.email, 'Your password was changed')).toEqual([]);
  });

  it('what is not in the table, or about nobody, sends nothing and costs no transaction', async () => {
    const before = app.outbox().length;
    await record({ action: 'sensitive_read' });
    await record({ action: 'authn_password_change', target: { type: 'resource', id: alice.userId } });
    await record({ action: 'user_deleted', details: { again: true } });
    await app.mailQuiet();
    expect(app.outbox()).toHaveLength(before);
    expect(get(Notices).rows({ action: 'sensitive_create', outcome: 'success' })).toEqual([]);
    expect(get(Notices).rows({ action: 'authz_change', outcome: 'success' })).toBeUndefined();
  });
});
