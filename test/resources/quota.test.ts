import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { resourceLimits } from '../../src/resources/resource.limits.js';
import { signUp, type Actor } from '../support/actors.js';
import { startApp, type TestApp } from '../support/app.js';
import { createResource, unshare } from '../support/resources.js';

const scale = 2;
const most = resourceLimits.resourcesPerOwner * scale;
const body = { title: 'One more', body: '' };

let app: TestApp;
let alice: Actor;
let greedy: Actor;

beforeAll(async () => {
  app = await startApp({ env: { RATE_LIMIT_SCALE: String(scale) } });
  [alice, greedy] = await Promise.all([signUp(app, 'alice'), signUp(app, 'greedy')]);
});
afterAll(() => app.close());

const create = ({ token }: Actor, index = 0) => app.on(index).request('POST', '/v1/resources', { token, body });
const ownedBy = async ({ userId }: Actor) => app.sql('SELECT id, version FROM resources WHERE owner_id = $1', [userId]);

describe('resources: how much one person may store [API4] [ASVS 2.3.2] [ASVS 15.4.2]', () => {
  it('creates 50 at once on all instances, five below the quota: five succeed, the others get 409 and leave nothing', async () => {
    await fill(greedy, most - 5);
    const answers = await Promise.all(Array.from({ length: 50 }, (_, index) => create(greedy, index)));
    const statuses = answers.map(({ status }) => status).toSorted();
    expect(statuses).toEqual([...Array.from({ length: 5 }, () => 201), ...Array.from({ length: 45 }, () => 409)]);
    expect(answers.find(({ status }) => status === 409)?.body.detail).toContain(`${most} resources`);
    expect(await ownedBy(greedy)).toHaveLength(most);
    const events = await app.sql(`SELECT id FROM audit_events WHERE action = 'sensitive_create' AND actor_id = $1`, [greedy.userId]);
    expect(events).toHaveLength(5);
  });

  it('one person is full: others still create', async () => {
    expect((await create(alice)).status).toBe(201);
  });

  it('deletes one 20 times at once: exactly one place is free again', async () => {
    const [victim] = await ownedBy(greedy);
    const headers = { 'if-match': `"${String(victim?.['version'])}"` };
    const path = `/v1/resources/${String(victim?.['id'])}`;
    await Promise.all(Array.from({ length: 20 }, (_, index) => app.on(index).request('DELETE', path, { token: greedy.token, headers })));
    const answers = await Promise.all(Array.from({ length: 10 }, (_, index) => create(greedy, index)));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(await ownedBy(greedy)).toHaveLength(most);
  });

  it('shares with 20 more people at once, one share below the bound: one succeeds, and an old share can still be changed', async () => {
    const { id } = await createResource(app, alice);
    const people = await strangers(resourceLimits.sharesPerResource + 19);
    const share = (userId: string, role: string, index = 0) =>
      app.on(index).request('PUT', `/v1/resources/${id}/shares/${userId}`, { token: alice.token, body: { role } });
    const [first = '', ...others] = people;
    await app.sql(`INSERT INTO resource_shares SELECT $1, unnest($2::uuid[]), 'viewer'`, [id, people.slice(0, resourceLimits.sharesPerResource - 1)]);
    const answers = await Promise.all(others.slice(resourceLimits.sharesPerResource - 2).map((userId, index) => share(userId, 'viewer', index)));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, ...Array.from({ length: 19 }, () => 409)]);
    expect(await app.sql('SELECT FROM resource_shares WHERE resource_id = $1', [id])).toHaveLength(resourceLimits.sharesPerResource);
    expect((await share(first, 'editor')).status).toBe(200);
    await unshare(app, alice, id, { ...alice, userId: first });
    expect((await share(first, 'viewer')).status).toBe(200);
  });
});

/** By SQL, because it would take minutes: whoever writes, the count is kept. */
const fill = ({ userId }: Actor, count: number) =>
  app.sql(
    `INSERT INTO resources (id, owner_id, title, body, owner_quota)
     SELECT ('01900000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, $1, 'One of many', '', $2 FROM generate_series(1, $2) n`,
    [userId, count],
  );

/** Rows of people, so that there is somebody to share with: copies of one, whose cells nobody opens. */
async function strangers(count: number): Promise<string[]> {
  const rows = await app.sql<{ id: string }>(
    `INSERT INTO users (id, email, name)
     SELECT ('01900000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, email, name FROM users, generate_series(1, $2) n WHERE id = $1
     RETURNING id`,
    [alice.userId, count],
  );
  return rows.map(({ id }) => id);
}
