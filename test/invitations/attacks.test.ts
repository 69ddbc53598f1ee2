import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { resourceLimits } from '../../src/resources/resource.limits.js';
import { visible } from '../auth/visible.js';
import { mailedToken, signUp, type Actor } from '../support/actors.js';
import { startApp, type TestApp } from '../support/app.js';
import { accept, invitationTo, invite } from './support.js';
import { createResource, unshare } from '../resources/support.js';
import { neverIssued } from '../support/http.js';
import { unlimited } from '../support/unlimited.js';

let app: TestApp;
let alice: Actor;
let bob: Actor;
let mallory: Actor;

// What bounds senders and mailboxes is tested in caps.test.ts.
beforeAll(async () => {
  unlimited();
  app = await startApp();
  [alice, bob, mallory] = (await Promise.all(['alice', 'bob', 'mallory'].map((name) => signUp(app, name)))) as [
    Actor,
    Actor,
    Actor,
  ];
});
beforeEach(() => app.sql('UPDATE invited_addresses SET mails = 0'));
afterAll(async () => {
  vi.restoreAllMocks();
  await app.close();
});

const subject = 'Somebody wants to share';
const newAddress = () => `someone.${randomBytes(6).toString('hex')}@example.org`;
const rowsOf = (id: string) => app.sql('SELECT id FROM invitations WHERE resource_id = $1', [id]);
const sharesOf = (id: string) => app.sql('SELECT user_id::text FROM resource_shares WHERE resource_id = $1', [id]);
const withheld = (why: string) =>
  app.sql(
    `SELECT FROM audit_events WHERE action = 'share_invited' AND outcome = 'success' AND details->>'withheld' = $1`,
    [why],
  );
const statusesOf = (answers: readonly { status: number }[]) => answers.map(({ status }) => status).toSorted();
const optOut = (token: string) => app.request('POST', '/v1/invitations/opt-out', { body: { token } });

async function mailsTo(address: string): Promise<number> {
  await app.mailQuiet();
  return app.outbox().filter(({ to, subject: title }) => to === address && title.startsWith(subject)).length;
}

/** A resource of the sender, and Bob's invitation to it. */
async function offered(sender = alice) {
  const { id, etag } = await createResource(app, sender);
  expect((await invite(app, sender, id, bob.email)).status).toBe(202);
  return { sender, id, etag, invitation: (await invitationTo(app, bob, id)) ?? '' };
}

describe("invitations: accepting what is not one's own, or no more [A6-3] [ASVS 2.3.1]", () => {
  it("somebody else's, a revoked, an expired, a used one and one that never was: the same 404, no share", async () => {
    const [foreign, revoked, expired, used] = [await offered(), await offered(), await offered(), await offered()];
    await app.request('DELETE', `/v1/resources/${revoked.id}/invitations/${revoked.invitation}`, {
      token: revoked.sender.token,
    });
    await app.sql(`UPDATE invitations SET expires_at = now() - interval '1 second' WHERE id = $1`, [
      expired.invitation,
    ]);
    expect((await accept(app, bob, used.invitation)).status).toBe(200);
    await unshare(app, used.sender, used.id, bob);
    const absent = visible(await accept(app, bob, neverIssued));
    const answers = [await accept(app, mallory, foreign.invitation)];
    for (const { invitation } of [revoked, expired, used]) answers.push(await accept(app, bob, invitation));
    expect(absent.status).toBe(404);
    for (const answer of answers) expect({ ...visible(answer), headers: '' }).toEqual({ ...absent, headers: '' });
    for (const { id } of [foreign, revoked, expired, used]) expect(await sharesOf(id)).toEqual([]);
    expect(
      (await app.request('POST', `/v1/invitations/${foreign.invitation}/decline`, { token: mallory.token })).status,
    ).toBe(404);
    await app.auditEvent(
      'authz_fail',
      ({ actor_id, target_type, target_id }) =>
        actor_id === mallory.userId && target_type === 'invitation' && target_id === foreign.invitation,
    );
    expect(await rowsOf(foreign.id)).toHaveLength(1);
  });

  it('has registered, and not verified: neither invites nor accepts, and gets no share [A6-1]', async () => {
    const email = newAddress();
    await app.request('POST', '/v1/auth/register', { body: { email } });
    const token = await mailedToken(app, email);
    const { id } = await createResource(app, alice);
    expect((await invite(app, alice, id, email)).status).toBe(202);
    const [invitation] = (await rowsOf(id)) as { id: string }[];
    expect((await invite(app, { token }, id, newAddress())).status).toBe(401);
    expect((await accept(app, { token }, invitation?.id)).status).toBe(401);
    expect(await sharesOf(id)).toEqual([]);
  });

  it('accepts ten times at once on all instances: one 200, one share, one event [ASVS 15.4.2]', async () => {
    const { id, invitation } = await offered();
    const answers = await Promise.all(Array.from({ length: 10 }, (_, index) => accept(app, bob, invitation, index)));
    expect(statusesOf(answers)).toEqual([200, ...Array.from({ length: 9 }, () => 404)]);
    expect(await sharesOf(id)).toEqual([{ user_id: bob.userId }]);
    expect(
      await app.sql(`SELECT FROM audit_events WHERE action = 'share_granted' AND target_id = $1`, [id]),
    ).toHaveLength(1);
  });

  it('is taken back, declined, accepted, its resource deleted at once: one happens [ASVS 15.4.2]', async () => {
    for (let round = 0; round < 5; round++) {
      const { sender, id, etag, invitation } = await offered();
      const [accepted, declined, revoked, deleted] = await Promise.all([
        accept(app, bob, invitation, round),
        app.on(round + 1).request('POST', `/v1/invitations/${invitation}/decline`, { token: bob.token }),
        app.on(round).request('DELETE', `/v1/resources/${id}/invitations/${invitation}`, { token: sender.token }),
        app
          .on(round + 1)
          .request('DELETE', `/v1/resources/${id}`, { token: sender.token, headers: { 'if-match': etag } }),
      ]);
      const happened = [accepted.status === 200, declined.status === 204, revoked.status === 204].filter(
        Boolean,
      ).length;
      expect([deleted.status, happened <= 1, await sharesOf(id), await rowsOf(id)]).toEqual([204, true, [], []]);
    }
  });

  it('accepts while the role is taken down: share or invitation has the new role [ASVS 15.4.2]', async () => {
    const { sender, id } = await offered();
    await invite(app, sender, id, bob.email, 'editor');
    const invitation = await invitationTo(app, bob, id);
    const [{ status, body }] = await Promise.all([
      accept(app, bob, invitation, 0),
      invite(app, sender, id, bob.email, 'viewer'),
    ]);
    const left = await app.sql('SELECT role FROM invitations WHERE resource_id = $1', [id]);
    expect([status, body.role === 'viewer' || left.length === 1]).toEqual([200, true]);
  });

  it('five accept, one share below the bound: one gets it, the others 409 [API4] [ASVS 2.3.2]', async () => {
    const { id } = await createResource(app, alice);
    await fillShares(id, resourceLimits.sharesPerResource - 1);
    const guests = await Promise.all(Array.from({ length: 5 }, (_, index) => signUp(app, `guest${index}`)));
    const invitations: (string | undefined)[] = [];
    for (const guest of guests) {
      await invite(app, alice, id, guest.email);
      invitations.push(await invitationTo(app, guest, id));
    }
    const answers = await Promise.all(guests.map((guest, index) => accept(app, guest, invitations[index], index)));
    expect(statusesOf(answers)).toEqual([200, 409, 409, 409, 409]);
    expect([(await sharesOf(id)).length, (await rowsOf(id)).length]).toEqual([resourceLimits.sharesPerResource, 4]);
    const late = guests[answers.findIndex(({ status }) => status === 409)] as Actor;
    await unshare(app, alice, id, guests[answers.findIndex(({ status }) => status === 200)] as Actor);
    expect((await accept(app, late, await invitationTo(app, late, id))).status).toBe(200);
  });
});

describe('invitations: opting out [A6-2]', () => {
  it('uses the token of an older mail: 204; no sender reaches the mailbox any more', async () => {
    const address = newAddress();
    const { id } = await createResource(app, alice);
    await invite(app, alice, id, address);
    await app.mailTo(address);
    const token = await mailedToken(app, address);
    await invite(app, alice, (await createResource(app, alice)).id, address);
    expect((await optOut(token)).status).toBe(204);
    const before = await mailsTo(address);
    const late = await createResource(app, mallory);
    const names = [address, address.replace('@', '+x@')];
    for (const name of names) expect((await invite(app, mallory, late.id, name)).status).toBe(202);
    expect([await mailsTo(address), (await withheld('opted-out')).length]).toEqual([before, 2]);
    const { body } = await app.request('GET', `/v1/resources/${late.id}/invitations`, { token: mallory.token });
    expect(body.items.map(({ email }: { email: string }) => email).toSorted()).toEqual(names.toSorted());
    expect((await optOut(token)).status).toBe(204);
    await app.auditEvent('share_opted_out');
  });

  it('somebody with an account opts out: the open invitation is neither listed nor accepted', async () => {
    const person = await signUp(app, 'person');
    const { id } = await createResource(app, alice);
    await invite(app, alice, id, person.email);
    const invitation = await invitationTo(app, person, id);
    await app.mailTo(person.email, subject);
    await optOut(await mailedToken(app, person.email));
    expect([
      await invitationTo(app, person, id),
      (await accept(app, person, invitation)).status,
      await sharesOf(id),
    ]).toEqual([undefined, 404, []]);
  });

  it('is stopped by somebody who made up a token, or by a scanner that follows links: nothing changes', async () => {
    const { id } = await offered();
    await app.mailTo(bob.email, subject);
    const token = await mailedToken(app, bob.email);
    const forged = `${token.slice(0, -1)}${token.endsWith('0') ? '1' : '0'}`;
    for (const wrong of [forged, 'x', 'a'.repeat(96)]) expect((await optOut(wrong)).status).toBe(204);
    await app.auditEvent(
      'authn_token_fail',
      ({ details }) => (details as { flow?: string }).flow === 'invitation-opt-out',
    );
    for (const method of ['GET', 'HEAD'])
      expect((await app.request(method, `/v1/invitations/opt-out?token=${token}`, { token: bob.token })).status).toBe(
        405,
      );
    expect([(await optOut('')).status, (await optOut(`${token}$`)).status]).toEqual([422, 422]);
    expect(await rowsOf(id)).toHaveLength(1);
    expect(
      await app.sql(
        'SELECT FROM invited_addresses WHERE opted_out_at IS NOT NULL AND id = (SELECT address_id FROM ' +
          'invitations WHERE resource_id = $1)',
        [id],
      ),
    ).toEqual([]);
  });
});

describe('invitations: nothing stays [practice 7.3]', () => {
  it('the resource or its owner goes: the invitation goes with it', async () => {
    const [deleted, erased] = [await offered(), await offered(await signUp(app, 'sender'))];
    await app.request('DELETE', `/v1/resources/${deleted.id}`, {
      token: deleted.sender.token,
      headers: { 'if-match': deleted.etag },
    });
    await app.request('DELETE', '/v1/users/me', { token: erased.sender.token });
    for (const { id, invitation } of [deleted, erased])
      expect([await rowsOf(id), (await accept(app, bob, invitation)).status]).toEqual([[], 404]);
  });

  it('the addressee is erased: invitation and address go; that the mailbox opted out stays', async () => {
    const [person, quiet] = [await signUp(app, 'person'), await signUp(app, 'quiet')];
    const { id } = await createResource(app, alice);
    for (const { email } of [person, quiet]) await invite(app, alice, id, email);
    const addresses = (
      await app.sql<{ id: string }>('SELECT address_id AS id FROM invitations WHERE resource_id = $1 ORDER BY id', [id])
    ).map((row) => row.id);
    await app.mailTo(quiet.email, subject);
    await optOut(await mailedToken(app, quiet.email));
    for (const { token } of [person, quiet])
      expect((await app.request('DELETE', '/v1/users/me', { token })).status).toBe(204);
    expect(await rowsOf(id)).toEqual([]);
    expect(
      await app.sql('SELECT opted_out_at IS NULL AS open FROM invited_addresses WHERE id = ANY ($1)', [addresses]),
    ).toEqual([{ open: false }]);
  });

  it('nobody answers: expired invitations and mailboxes go with the next invitation of anybody', async () => {
    const [old, forgotten] = [await offered(), newAddress()];
    const { id } = await createResource(app, mallory);
    await invite(app, old.sender, old.id, forgotten);
    const [row] = await app.sql<{ address_id: string }>(
      'SELECT address_id FROM invitations WHERE resource_id = $1 ORDER BY id DESC LIMIT 1',
      [old.id],
    );
    await app.sql(`UPDATE invitations SET expires_at = now() - interval '1 second' WHERE resource_id = $1`, [old.id]);
    await app.sql(`UPDATE invited_addresses SET day = day - 31 WHERE id = $1`, [row?.address_id]);
    await invite(app, mallory, id, newAddress());
    expect([
      await rowsOf(old.id),
      await app.sql('SELECT FROM invited_addresses WHERE id = $1', [row?.address_id]),
    ]).toEqual([[], []]);
  });

  it('exports what was received and sent, and the rows hold no address in clear [ASVS 14.2.4]', async () => {
    const { sender, id, invitation } = await offered();
    const [received, sent] = [
      await app.request('GET', '/v1/users/me/export', { token: bob.token }),
      await app.request('GET', '/v1/users/me/export', { token: sender.token }),
    ];
    expect(received.body.invitations.received).toContainEqual(
      expect.objectContaining({ id: invitation, resourceId: id, title: 'Minutes', role: 'viewer' }),
    );
    expect(sent.body.invitations).toMatchObject({ received: [], optedOutAt: null });
    expect(sent.body.invitations.sent).toContainEqual(expect.objectContaining({ id: invitation, email: bob.email }));
    expect(received.text).not.toContain(sender.email);
    expect(JSON.stringify(await app.sql('SELECT * FROM invitations, invited_addresses'))).not.toContain('@');
  });
});

/** Shares of people who are copies of one, by SQL: signing up a hundred takes a minute. */
const fillShares = (id: string, count: number) =>
  app.sql(
    `WITH people AS (INSERT INTO users (id, email, name)
       SELECT ('01900000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, email, name
       FROM users, generate_series(1, $2) n WHERE id = $3 RETURNING id)
     INSERT INTO resource_shares SELECT $1, id, 'viewer' FROM people`,
    [id, count, mallory.userId],
  );
