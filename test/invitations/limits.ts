import { createResource } from '../resources/support.js';
import { day, hour, type LimitRow, type Send } from '../security/rate-limiting/limits.parts.js';

const invite: Send = async ({ app, actor }, from, index) => {
  const { id } = await createResource(app, actor);
  const body = { email: `limit${index}@example.org`, role: 'viewer' };
  return app.request('POST', `/v1/resources/${id}/shares`, { from, token: actor.token, body });
};

export const limitRows: readonly LimitRow[] = [
  ['invite-network', 100, hour, 'network', undefined, invite],
  ['invite', 20, day, 'user', undefined, invite],
  ['invite-address', 3, day, 'user and account', undefined, invite],
];
