import type { Actor } from '../support/actors.js';
import type { TestApp } from '../support/app.js';

export const invite = (app: TestApp, owner: Pick<Actor, 'token'>, id: string, email: string, role = 'viewer') =>
  app.request('POST', `/v1/resources/${id}/shares`, { token: owner.token, body: { email, role } });

/** The id of the invitation to the resource, as its addressee sees it. */
export async function invitationTo(
  app: TestApp,
  person: Pick<Actor, 'token'>,
  id: string,
): Promise<string | undefined> {
  const { body } = await app.request('GET', '/v1/invitations?limit=100', { token: person.token });
  return (body.items as { id: string; resourceId: string }[]).find(({ resourceId }) => resourceId === id)?.id;
}

export const accept = (app: TestApp, person: Pick<Actor, 'token'>, invitation: string | undefined, instance = 0) =>
  app.on(instance).request('POST', `/v1/invitations/${invitation}/accept`, { token: person.token });
