import { createSample, shareSample, unshareSample, type StoredSample } from './samples.js';
import type { MatrixPart, Players } from '../../security/authorization/matrix.parts.js';

/** A sample of the owner, shared with everybody who has a share, and no more with the former member. */
async function on({ app, people }: Players): Promise<StoredSample> {
  const { owner, editor, viewer, exMember, preFactor } = people;
  const sample = await createSample(app, owner);
  for (const person of [editor, exMember, preFactor]) await shareSample(app, sample.id, person, 'editor');
  await shareSample(app, sample.id, viewer, 'viewer');
  await unshareSample(app, sample.id, exMember);
  return sample;
}

export const matrix: MatrixPart = {
  calls: {
    'GET /v1/samples': {},
    'POST /v1/samples': { body: { title: 't', body: 'b' } },
    'GET /v1/samples/:id': { on },
    'PATCH /v1/samples/:id': { on, body: { title: 'changed' } },
    'DELETE /v1/samples/:id': { on },
  },
};
