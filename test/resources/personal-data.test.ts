import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { shapeOf } from '../../src/common/http/view.js';
import { ExportView } from '../../src/common/events/personal-data.js';
import { signUp, type Actor } from '../support/actors.js';
import { startApp, type TestApp } from '../support/app.js';
import { createResource, shareWith } from './support.js';

let app: TestApp;
let alice: Actor;
let vic: Actor;
let id: string;
beforeAll(async () => {
  app = await startApp({ instances: 1 });
  [alice, vic] = await Promise.all([signUp(app, 'alice'), signUp(app, 'victor')]);
  ({ id } = await createResource(app, alice, { note: 'my own note' }));
  await shareWith(app, alice, id, vic, 'viewer');
});
afterAll(() => app.close());

const exported = ({ token }: Actor) => app.request('GET', '/v1/users/me/export', { token });

describe('resources in the export of personal data [practice 7.3]', () => {
  it('the owner gets them in clear, field by field, and with whom they are shared [ASVS 15.3.1]', async () => {
    const { body, text } = await exported(alice);
    expect(body.resources).toMatchObject([{ id, note: 'my own note' }]);
    const named = ['body', 'createdAt', 'id', 'note', 'shares', 'title', 'updatedAt', 'version', 'visibility'];
    expect(Object.keys(body.resources[0]).toSorted()).toEqual(named);
    expect(Object.keys(body.resources[0].shares[0]).toSorted()).toEqual(['createdAt', 'role', 'userId']);
    for (const foreign of [vic.email, vic.name, 'enc:v1:'])
      expect([foreign, text.includes(foreign)]).toEqual([foreign, false]);
  });

  it('a reader gets that there is a share, and nothing of what is shared', async () => {
    const { body, text } = await exported(vic);
    expect(body).toMatchObject({ received: [{ resourceId: id, role: 'viewer' }] });
    expect(text).not.toContain('my own note');
  });

  it.each(['resources', 'received'])('a column that is added to %s tomorrow stays inside', (section) => {
    const row = { id: '1', canary: 'canary', shares: [{ userId: '2', canary: 'canary' }] };
    const shaped = shapeOf(ExportView)({ [section]: [row] });
    expect(shaped).toHaveProperty(section);
    expect(JSON.stringify(shaped)).not.toContain('canary');
  });
});
