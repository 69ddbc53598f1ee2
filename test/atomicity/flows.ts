import { randomBytes } from 'node:crypto';
import { mailedToken, signUp, type Actor } from '../support/actors.js';
import type { TestApp } from '../support/app.js';
import type { RequestParts } from '../support/http.js';
import { createResource, invitationTo, invite } from '../support/resources.js';

/** The request that is broken off, with everything in place that it needs. */
export interface Act {
  readonly method: string;
  readonly path: string;
  readonly parts: RequestParts;
}

const newAddress = () => `someone.${randomBytes(6).toString('hex')}@example.org`;
const post = (path: string, body?: object, { token }: { token?: string } = {}): Act => ({ method: 'POST', path, parts: { body, token } });

/** A resource of the owner, and the guest's invitation to it. */
async function offered(app: TestApp, owner: Actor, guest: Actor): Promise<string> {
  const { id } = await createResource(app, owner);
  // As on another day: the mailbox takes ten invitations a day.
  await app.sql('UPDATE invited_addresses SET mails = 0');
  await invite(app, owner, id, guest.email, 'editor');
  return (await invitationTo(app, guest, id)) ?? '';
}

/** The same two people for every turn: signing up is what takes time. */
const people = new WeakMap<TestApp, Promise<[Actor, Actor]>>();
function ownerAndGuest(app: TestApp): Promise<[Actor, Actor]> {
  const known = people.get(app) ?? Promise.all([signUp(app, 'owner'), signUp(app, 'guest')]);
  people.set(app, known);
  return known;
}

/** A change of address that both mailboxes have to agree to. */
async function changing(app: TestApp) {
  const [person, to] = [await signUp(app, 'mover'), newAddress()];
  await app.request('POST', '/v1/auth/password/forgot', { body: { email: person.email } });
  await app.request('POST', '/v1/auth/email/change', { token: person.token, body: { email: to } });
  await Promise.all([app.mailTo(person.email, 'Confirm that'), app.mailTo(to)]);
  return { old: await mailedToken(app, person.email), new: await mailedToken(app, to) };
}

/** Everything that changes several rows which must agree. */
export const flows: Readonly<Record<string, (app: TestApp) => Promise<Act>>> = {
  'registers an address': async (app) => {
    // Somebody has registered before: the first mail of all makes a data key.
    await app.request('POST', '/v1/auth/register', { body: { email: newAddress() } });
    return post('/v1/auth/register', { email: newAddress() });
  },
  'verifies it, which makes the user': async (app) => {
    const email = newAddress();
    await app.request('POST', '/v1/auth/register', { body: { email } });
    await app.mailTo(email);
    return post('/v1/auth/email/verify', { token: await mailedToken(app, email), password: 'violet harbour counts to nine', name: 'N' });
  },
  'invites somebody': async (app) => {
    const owner = await signUp(app, 'owner');
    // There has been an invitation before: the first one of all makes a data key.
    await offered(app, ...(await ownerAndGuest(app)));
    return post(`/v1/resources/${(await createResource(app, owner)).id}/shares`, { email: newAddress(), role: 'viewer' }, owner);
  },
  'accepts an invitation': async (app) => {
    const [owner, guest] = await ownerAndGuest(app);
    return post(`/v1/invitations/${await offered(app, owner, guest)}/accept`, undefined, guest);
  },
  'confirms a change of address at the first mailbox': async (app) => post('/v1/auth/email/confirm', { token: (await changing(app)).new }),
  'confirms it at the second mailbox': async (app) => {
    const tokens = await changing(app);
    await app.request('POST', '/v1/auth/email/confirm', { body: { token: tokens.new } });
    return post('/v1/auth/email/confirm', { token: tokens.old });
  },
  'erases an account with resources, shares and invitations': async (app) => {
    const [[, guest], leaver] = [await ownerAndGuest(app), await signUp(app, 'leaver')];
    await offered(app, leaver, guest);
    await offered(app, guest, leaver);
    return { method: 'DELETE', path: '/v1/users/me', parts: { token: leaver.token } };
  },
};
