import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { mailedToken, signIn, signUp, type Actor } from '../support/actors.js';
import { startApp, type TestApp } from '../support/app.js';
import { accept, invitationTo, invite } from './support.js';
import { createResource, shareWith } from '../resources/support.js';
import { neverIssued } from '../support/http.js';
import { unlimited } from '../support/unlimited.js';
import { visible } from '../auth/visible.js';

let app: TestApp;
let alice: Actor;
let bob: Actor;

// What bounds senders and mailboxes is tested in caps.test.ts.
beforeAll(async () => {
  unlimited();
  app = await startApp();
  [alice, bob] = await Promise.all([signUp(app, 'alice'), signUp(app, 'bob')]);
});
beforeEach(() => app.sql('UPDATE invited_addresses SET mails = 0'));
afterAll(async () => {
  vi.restoreAllMocks();
  await app.close();
});

const subject = 'Somebody wants to share';
const rowsOf = (id: string) => app.sql('SELECT * FROM invitations WHERE resource_id = $1', [id]);
const sharesOf = (id: string) =>
  app.sql<{ user_id: string; role: string }>('SELECT user_id::text, role FROM resource_shares WHERE resource_id = $1', [
    id,
  ]);
const read = ({ token }: Actor, id: string, instance = 0) =>
  app.on(instance).request('GET', `/v1/resources/${id}`, { token });

/** A resource of Alice's to which Bob was invited, and the id of the invitation. */
async function offered(role = 'viewer'): Promise<{ id: string; invitation: string }> {
  const { id } = await createResource(app, alice);
  expect((await invite(app, alice, id, bob.email, role)).status).toBe(202);
  return { id, invitation: (await invitationTo(app, bob, id)) ?? '' };
}

describe('invitations: an honest user [practice 2.4]', () => {
  it('an address without an account: mail, sign-up, list, accept [A6-6] [ASVS 2.3.1]', async () => {
    const { id } = await createResource(app, alice, { title: 'Minutes of May' });
    const email = `new.${randomBytes(4).toString('hex')}@example.org`;
    expect(await invite(app, alice, id, email.toUpperCase(), 'editor')).toMatchObject({
      status: 202,
      body: { message: expect.any(String) },
    });
    expect((await app.mailTo(email, subject)).text).toContain('/v1/invitations');
    await app.request('POST', '/v1/auth/register', { body: { email } });
    const password = `correct horse ${randomBytes(9).toString('base64url')}`;
    // Before the address is proved there is nobody who could accept, invite, or be shared with.
    expect((await app.request('POST', '/v1/auth/login', { body: { email, password } })).status).toBe(401);
    await app.mailTo(email, 'Finish your registration');
    await app.request('POST', '/v1/auth/email/verify', {
      body: { token: await mailedToken(app, email), password, name: 'N' },
    });
    const guest = { ...alice, ...(await signIn(app, { email, password })) };
    expect((await read(guest, id)).status).toBe(404);
    const { body } = await app.request('GET', '/v1/invitations', { token: guest.token });
    expect(body.items).toEqual([expect.objectContaining({ resourceId: id, title: 'Minutes of May', role: 'editor' })]);
    expect(await accept(app, guest, body.items[0].id)).toMatchObject({ status: 200, body: { role: 'editor' } });
    expect((await read(guest, id, 1)).status).toBe(200);
    expect(await rowsOf(id)).toEqual([]);
  });

  it('accepts: the events name who did what, and nothing has the address in it [ASVS 16.3.3]', async () => {
    const { id, invitation } = await offered();
    await accept(app, bob, invitation);
    expect(await app.auditEvent('share_invited', ({ target_id }) => target_id === id)).toMatchObject({
      actor_id: alice.userId,
      outcome: 'success',
    });
    expect(await app.auditEvent('share_granted', ({ target_id }) => target_id === id)).toMatchObject({
      actor_id: bob.userId,
      details: { userId: bob.userId },
    });
    expect(JSON.stringify(await app.sql('SELECT * FROM audit_events'))).not.toContain('@');
    expect(app.logText()).not.toContain(bob.email);
  });

  it('declines: 204, no share, and the invitation is gone', async () => {
    const { id, invitation } = await offered();
    expect((await app.request('POST', `/v1/invitations/${invitation}/decline`, { token: bob.token })).status).toBe(204);
    expect([(await accept(app, bob, invitation)).status, await sharesOf(id), await rowsOf(id)]).toEqual([404, [], []]);
    await app.auditEvent('share_declined', ({ target_id }) => target_id === invitation);
  });

  it('the owner sees what waits, with the address as written, and takes it back', async () => {
    const { id, invitation } = await offered();
    const path = `/v1/resources/${id}/invitations`;
    expect((await app.request('GET', path, { token: alice.token })).body.items).toEqual([
      expect.objectContaining({ id: invitation, email: bob.email, role: 'viewer' }),
    ]);
    expect((await app.request('DELETE', `${path}/${invitation}`, { token: alice.token })).status).toBe(204);
    expect((await app.request('GET', path, { token: alice.token })).body.items).toEqual([]);
    await app.auditEvent('share_invitation_revoked', ({ target_id }) => target_id === invitation);
  });

  it('invites again: one row with the new role, and no second mail within a day; a day later, one', async () => {
    const { id, invitation } = await offered('viewer');
    const mails = async () => (await app.mailQuiet(), app.outbox().filter(({ to }) => to === bob.email).length);
    const before = await mails();
    await invite(app, alice, id, bob.email, 'editor');
    expect(await rowsOf(id)).toEqual([expect.objectContaining({ id: invitation, role: 'editor' })]);
    expect(await mails()).toBe(before);
    await app.sql(`UPDATE invitations SET offered_at = offered_at - interval '25 hours' WHERE id = $1`, [invitation]);
    await invite(app, alice, id, bob.email, 'viewer');
    expect([await mails(), (await rowsOf(id)).length]).toEqual([before + 1, 1]);
  });

  it('pages through the list with cursors that work for nobody else [A1-6]', async () => {
    const guest = await signUp(app, 'popular');
    for (let count = 0; count < 3; count++)
      await invite(app, alice, (await createResource(app, alice)).id, guest.email);
    const first = (await app.request('GET', '/v1/invitations?limit=2', { token: guest.token })).body;
    const second = (
      await app.request('GET', `/v1/invitations?limit=2&cursor=${first.nextCursor}`, { token: guest.token })
    ).body;
    expect([first.items.length, second.items.length, second.nextCursor]).toEqual([2, 1, null]);
    expect(
      (await app.request('GET', `/v1/invitations?limit=2&cursor=${first.nextCursor}`, { token: bob.token })).status,
    ).toBe(400);
  });
});

describe('invitations: who may what', () => {
  it('an editor, a viewer, a stranger invite and take back: 403, 403, 404 [A1-2] [API1]', async () => {
    const { id, invitation } = await offered();
    const [eve, vic, mallory] = (await Promise.all(['eve', 'vic', 'mallory'].map((name) => signUp(app, name)))) as [
      Actor,
      Actor,
      Actor,
    ];
    await shareWith(app, alice, id, eve, 'editor');
    await shareWith(app, alice, id, vic, 'viewer');
    const before = await rowsOf(id);
    for (const [{ token }, status] of [
      [eve, 403],
      [vic, 403],
      [mallory, 404],
    ] as const) {
      expect((await invite(app, { token }, id, `friend@example.org`)).status).toBe(status);
      expect((await app.request('GET', `/v1/resources/${id}/invitations`, { token })).status).toBe(status);
      expect((await app.request('DELETE', `/v1/resources/${id}/invitations/${invitation}`, { token })).status).toBe(
        status,
      );
    }
    expect(await rowsOf(id)).toEqual(before);
  });

  it("takes an invitation back through a resource of one's own: 404, and it stays [A1-3]", async () => {
    const { id, invitation } = await offered();
    const mallory = await signUp(app, 'mallory');
    const own = await createResource(app, mallory);
    expect(
      (await app.request('DELETE', `/v1/resources/${own.id}/invitations/${invitation}`, { token: mallory.token }))
        .status,
    ).toBe(404);
    expect(await rowsOf(id)).toHaveLength(1);
  });

  it.each(['owner', 'admin', '', null, ['viewer'], { set: 'editor' }])(
    'invites as %j: refused, no row [A3-7] [ASVS 2.2.1]',
    async (role) => {
      const { id } = await createResource(app, alice);
      const answer = await app.request('POST', `/v1/resources/${id}/shares`, {
        token: alice.token,
        body: { email: bob.email, role },
      });
      expect([400, 422]).toContain(answer.status);
      expect(await rowsOf(id)).toEqual([]);
    },
  );

  it('skips the invitation: nobody gets a share without having accepted [A6-6] [ASVS 2.3.1]', async () => {
    const { id } = await createResource(app, alice);
    const put = (userId: string) =>
      app.request('PUT', `/v1/resources/${id}/shares/${userId}`, { token: alice.token, body: { role: 'editor' } });
    for (const person of [bob.userId, alice.userId, neverIssued]) expect((await put(person)).status).toBe(404);
    expect(await sharesOf(id)).toEqual([]);
    await shareWith(app, alice, id, bob, 'viewer');
    expect(await put(bob.userId)).toMatchObject({ status: 200, body: { role: 'editor' } });
    expect(await sharesOf(id)).toEqual([{ user_id: bob.userId, role: 'editor' }]);
  });

  it('invites oneself and accepts: 409, the owner gets no share', async () => {
    const { id } = await createResource(app, alice);
    await invite(app, alice, id, alice.email);
    expect((await accept(app, alice, await invitationTo(app, alice, id))).status).toBe(409);
    expect(await sharesOf(id)).toEqual([]);
  });

  // With: email-change.
  it('changes the address: invitations to the old one are out of reach, those to the new one are not', async () => {
    const { id, invitation } = await offered();
    const next = `moved.${randomBytes(4).toString('hex')}@example.org`;
    await app.request('POST', '/v1/auth/email/change', { token: bob.token, body: { email: next } });
    await app.mailQuiet();
    for (const address of [bob.email, next])
      await app.request('POST', '/v1/auth/email/confirm', { body: { token: await mailedToken(app, address) } });
    const moved = { ...bob, email: next, ...(await signIn(app, { email: next, password: bob.password })) };
    expect([(await accept(app, moved, invitation)).status, await sharesOf(id)]).toEqual([404, []]);
    await invite(app, alice, id, next);
    expect((await accept(app, moved, await invitationTo(app, moved, id))).status).toBe(200);
    bob = moved;
  });
});

describe('invitations: nobody learns who has an account [A2-2] [ASVS 6.3.8]', () => {
  it('known, unknown, own address, with a share, opted out, over its cap: one answer', async () => {
    const sender = await signUp(app, 'prober');
    const { id } = await createResource(app, sender);
    const [shared, out, full] = (await Promise.all(['shared', 'out', 'full'].map((name) => signUp(app, name)))) as [
      Actor,
      Actor,
      Actor,
    ];
    await shareWith(app, sender, id, shared, 'viewer');
    const other = await createResource(app, alice);
    for (const { email } of [out, full]) await invite(app, alice, other.id, email);
    await app.request('POST', '/v1/invitations/opt-out', {
      body: { token: await app.mailTo(out.email, subject).then(() => mailedToken(app, out.email)) },
    });
    await app.sql(
      'UPDATE invited_addresses SET mails = 10 WHERE opted_out_at IS NULL AND id IN (SELECT address_id FROM ' +
        'invitations WHERE resource_id = $1)',
      [other.id],
    );
    const unknown = `nobody.${randomBytes(4).toString('hex')}@example.org`;
    const answers = [];
    for (const email of [unknown, bob.email, sender.email, shared.email, out.email, full.email]) {
      const { ratelimit: _, ...headers } = visible(await invite(app, sender, id, email)).headers;
      answers.push({ ...visible(await invite(app, sender, id, email)), headers });
    }
    expect(answers[0]).toMatchObject({ status: 202 });
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    expect(await rowsOf(id)).toHaveLength(6);
  });
});
