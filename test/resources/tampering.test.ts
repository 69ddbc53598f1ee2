import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signUp, type Actor } from '../support/actors.js';
import { startApp, type TestApp } from '../support/app.js';
import { createResource } from './support.js';

// What is tried on cells in general: test/security/data-protection/tampering.test.ts.

let app: TestApp;
let alice: Actor;
let mallory: Actor;
beforeAll(async () => {
  app = await startApp({ instances: 1 });
  [alice, mallory] = await Promise.all([signUp(app, 'alice'), signUp(app, 'mallory')]);
});
afterAll(() => app.close());

const read = (id: string, { token }: Actor) => app.request('GET', `/v1/resources/${id}`, { token });
const fault = (id: string, code: string) =>
  app.auditEvent(
    'crypt_decrypt_fail',
    (row) => row['target_id'] === id && JSON.stringify(row['details']).includes(code),
  );

describe('notes, attacked by SQL [practice 7.3] [ASVS 11.3.3] [ASVS 16.3.4]', () => {
  it('are sealed cells in the database, which takes no plaintext [ASVS 14.2.4]', async () => {
    const { id } = await createResource(app, alice, { note: 'mine-4711-canary' });
    const [row] = await app.sql('SELECT * FROM resources WHERE id = $1', [id]);
    expect(row?.['note']).toMatch(/^enc:v1:/);
    expect(JSON.stringify(row)).not.toContain('4711');
    await expect(app.sql(`UPDATE resources SET note = 'plain' WHERE id = $1`, [id])).rejects.toThrow(
      'check constraint',
    );
  });

  it('takes the note of another row: 500 without the text; the list shows that it is there [ASVS 11.3.3]', async () => {
    const { id } = await createResource(app, alice, { note: 'mine-4711-canary' });
    const { id: other } = await createResource(app, alice, { note: 'other-4711-canary' });
    await app.sql('UPDATE resources SET note = (SELECT note FROM resources WHERE id = $2) WHERE id = $1', [id, other]);
    const answer = await read(id, alice);
    expect([answer.status, answer.text.includes('4711')]).toEqual([500, false]);
    await fault(id, 'broken-cell');
    const { body } = await app.request('GET', '/v1/resources', { token: alice.token });
    expect(body.items).toContainEqual(expect.objectContaining({ id, note: '[unreadable]' }));
  });

  it('makes somebody else the owner of a row: the new owner reads nothing of the note', async () => {
    const { id } = await createResource(app, alice, { note: 'mine-4711-canary' });
    await app.sql('UPDATE resources SET owner_id = $2 WHERE id = $1', [id, mallory.userId]);
    const answer = await read(id, mallory);
    expect([answer.status, answer.text.includes('4711')]).toEqual([500, false]);
    await fault(id, 'foreign-key');
  });
});
