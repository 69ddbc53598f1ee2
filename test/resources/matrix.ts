import { createResource, shareWith, unshare, type StoredResource } from './support.js';
import type { MatrixPart, Players } from '../security/authorization/matrix.parts.js';

/** A resource of the owner, with a share for everybody who has one, and none any more for the former member. */
export async function resourceStage({ app, people }: Players): Promise<StoredResource> {
  const { owner, editor, viewer, exMember, preFactor } = people;
  const resource = await createResource(app, owner);
  for (const person of [editor, exMember, preFactor]) await shareWith(app, owner, resource.id, person, 'editor');
  await shareWith(app, owner, resource.id, viewer, 'viewer');
  await unshare(app, owner, resource.id, exMember);
  return resource;
}
const on = resourceStage;

export const matrix: MatrixPart = {
  calls: {
    'GET /v1/resources': {},
    'POST /v1/resources': { body: { title: 't', body: 'b' } },
    'DELETE /v1/resources/:id': { on },
    'GET /v1/resources/:id': { on },
    'PATCH /v1/resources/:id': { on, body: { title: 'changed' } },
    'GET /v1/resources/:id/shares': { on },
    'DELETE /v1/resources/:id/shares/:userId': { on },
    'PUT /v1/resources/:id/shares/:userId': { on, body: { role: 'viewer' } },
  },
};
