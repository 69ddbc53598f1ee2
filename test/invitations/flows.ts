import { post, type Flows } from '../atomicity/flow.js';
import { createResource } from '../resources/support.js';
import { anyEmail, signUp, type Actor } from '../support/actors.js';
import type { TestApp } from '../support/app.js';
import { invitationTo, invite } from './support.js';

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

export const flows: Flows = {
  'invites somebody': {
    prepare: async (app) => {
      const owner = await signUp(app, 'owner');
      // There has been an invitation before: the first one of all makes a data key.
      await offered(app, ...(await ownerAndGuest(app)));
      const { id } = await createResource(app, owner);
      return post(`/v1/resources/${id}/shares`, { email: anyEmail(), role: 'viewer' }, owner);
    },
  },
  'accepts an invitation': {
    isKilled: true,
    prepare: async (app) => {
      const [owner, guest] = await ownerAndGuest(app);
      return post(`/v1/invitations/${await offered(app, owner, guest)}/accept`, undefined, guest);
    },
  },
};
