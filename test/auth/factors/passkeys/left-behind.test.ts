import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PasskeyRepository } from '../../../../src/auth/factors/passkeys/passkey.repository.js';
import { signUp, signUpAdministrator, type Actor } from '../../../support/actors.js';
import { startApp, type TestApp } from '../../../support/app.js';
import { refusal, refusalOf, register, trySignIn } from './ceremonies.js';

// Passkeys that their owner does not know of, or no longer has.

let app: TestApp;

beforeAll(async () => {
  app = await startApp({ env: { RATE_LIMIT_SCALE: '1000' } });
});
afterAll(() => app.close());

// With: recovery.
const newPassword = 'eleven grey herons by the weir';
// With: administration, recovery.
const openSessionsOf = ({ userId }: Actor) =>
  app.sql('SELECT id FROM sessions WHERE user_id = $1 AND ended_at IS NULL', [userId]);
// With: administration, recovery.
const forceReset = async ({ userId }: Actor) =>
  app.request('POST', `/v1/users/${userId}/password-reset`, { token: (await signUpAdministrator(app)).token });
const reasonsOf = async ({ userId }: Actor) =>
  (
    await app.sql<{ reason: string }>(
      `SELECT details->>'reason' AS reason FROM audit_events WHERE outcome = 'denied' AND target_id = $1`,
      [userId],
    )
  ).map(({ reason }) => reason);

// With: recovery.
async function resetByMail({ email }: Actor): Promise<void> {
  const { text } = await app.mailTo(email, 'Set a new password');
  const token = /\b[A-Za-z0-9_-]{40,}\b/.exec(text)?.[0];
  expect(
    (await app.request('POST', '/v1/auth/password/reset', { body: { token, password: newPassword } })).status,
  ).toBe(204);
}

describe('a thief with a session adds a passkey [A2-8] [ASVS 6.3.5]', () => {
  // With: recovery.
  it('it outlives a new password, so the mail of the day says to delete it', async () => {
    const vic = await signUp(app, 'vic');
    const { authenticator } = await register(app, vic);
    // With: notices.
    const { text } = await app.mailTo(vic.email, 'A second factor was added');
    // With: notices.
    for (const advice of ['a new password alone does not take it away', 'delete every passkey'])
      expect(text).toContain(advice);
    await app.request('POST', '/v1/auth/password/forgot', { body: { email: vic.email } });
    await resetByMail(vic);
    expect((await trySignIn(app, authenticator)).status).toBe(200);
  });

  // With: administration, recovery.
  it('an administrator demands a reset: the passkey gets the one 401, and the mail names it', async () => {
    const bob = await signUp(app, 'bob');
    const { authenticator } = await register(app, bob);
    expect((await forceReset(bob)).status).toBe(204);
    expect(refusalOf(await trySignIn(app, authenticator))).toEqual(refusal);
    expect(await openSessionsOf(bob)).toEqual([]);
    await expect.poll(() => reasonsOf(bob)).toEqual(['reset-due']);
    // With: notices.
    expect((await app.mailTo(bob.email, 'Please choose a new password')).text).toContain('delete every passkey');
    await resetByMail(bob);
    expect((await trySignIn(app, authenticator)).status).toBe(200);
  });
});

describe('what the owner is told', () => {
  // With: notices.
  it('a passkey is used for the first time: a mail, and only that time [ASVS 6.3.5]', async () => {
    const dora = await signUp(app, 'dora');
    const { authenticator } = await register(app, dora);
    for (let times = 0; times < 3; times++) expect((await trySignIn(app, authenticator)).status).toBe(200);
    await app.mailQuiet();
    const mails = app
      .outbox()
      .filter(({ to, subject }) => to === dora.email && subject === 'A sign-in from a new device');
    expect(mails.map(({ text }) => text.includes('with a passkey that was not used for it before'))).toEqual([true]);
    await app.auditEvent('authn_new_device', ({ target_id }) => target_id === dora.userId);
  });

  it('a passkey is deleted while it signs in: 401, and nobody is told of a copy of it', async () => {
    const erin = await signUp(app, 'erin');
    const { authenticator, id } = await register(app, erin);
    const repository = app.on(0).service.app.get(PasskeyRepository, { strict: false });
    const find = repository.findByCredentialId.bind(repository);
    repository.findByCredentialId = (async (credentialId: string) => {
      const found = await find(credentialId);
      await app.sql('DELETE FROM passkeys WHERE id = $1', [id]);
      return found;
    }) as typeof repository.findByCredentialId;
    expect(refusalOf(await trySignIn(app, authenticator))).toEqual(refusal);
    repository.findByCredentialId = find;
    await expect.poll(() => reasonsOf(erin)).toEqual(['deleted']);
    await app.mailQuiet();
    expect(
      app.outbox().filter(({ to, subject }) => to === erin.email && subject === 'A second factor was refused'),
    ).toEqual([]);
  });
});
