import { expect } from 'vitest';
import { resourceStage } from '../resources/matrix.js';
import { createResource } from '../resources/support.js';
import { signUp } from '../support/actors.js';
import { invitationTo, invite } from './support.js';
import type { MatrixPart, Players, Stage } from '../security/authorization/matrix.parts.js';

/** To the stranger, who must be the only one to whom it is there. */
async function openInvitation({ app, people: { stranger } }: Players): Promise<Stage> {
  const { body } = await app.request('GET', '/v1/invitations', { token: stranger.token });
  const [open] = body.items as Stage[];
  if (open !== undefined) return open;
  // Another one only when it was answered, and from another person, because both are limited per day.
  const inviter = await signUp(app, 'inviter');
  const { id } = await createResource(app, inviter);
  expect((await invite(app, inviter, id, stranger.email)).status).toBe(202);
  return { id: (await invitationTo(app, stranger, id)) ?? '' };
}

export const matrix: MatrixPart = {
  calls: {
    'GET /v1/invitations': {},
    'POST /v1/invitations/:id/accept': { on: openInvitation },
    'POST /v1/invitations/:id/decline': { on: openInvitation },
    'POST /v1/invitations/opt-out': { body: { token: 'x' } },
    'GET /v1/resources/:id/invitations': { on: resourceStage },
    // One that nobody made: what the owner gets for a real one is tested beside this.
    'DELETE /v1/resources/:id/invitations/:invitationId': { on: resourceStage },
    'POST /v1/resources/:id/shares': { on: resourceStage, body: { email: 'matrix@example.org', role: 'viewer' } },
  },
};
