import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { resourceLimits } from '../../src/resources/resource.limits.js';
import { signUp, type Actor } from '../support/actors.js';
import { startApp, type TestApp } from '../support/app.js';

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

describe('resources: how much one person may store [API4] [ASVS 2.3.2] [ASVS 2.3.4] [ASVS 15.4.2]', () => {
  it('creates 50 at once, five below the quota: five succeed, the others get 409 [A4-7]', async () => {
    await fill(greedy, most - 5);
    const answers = await Promise.all(Array.from({ length: 50 }, (_, index) => create(greedy, index)));
    const statuses = answers.map(({ status }) => status).toSorted();
    expect(statuses).toEqual([...Array.from({ length: 5 }, () => 201), ...Array.from({ length: 45 }, () => 409)]);
    expect(answers.find(({ status }) => status === 409)?.body.detail).toContain(`${most} resources`);
    expect(await ownedBy(greedy)).toHaveLength(most);
    const events = await app.sql(`SELECT id FROM audit_events WHERE action = 'sensitive_create' AND actor_id = $1`, [
      greedy.userId,
    ]);
    expect(events).toHaveLength(5);
  });

  it('one person is full: others still create', async () => {
    expect((await create(alice)).status).toBe(201);
  });

  it('deletes one 20 times at once: exactly one place is free again', async () => {
    const [victim] = await ownedBy(greedy);
    const headers = { 'if-match': `"${String(victim?.['version'])}"` };
    const path = `/v1/resources/${String(victim?.['id'])}`;
    await Promise.all(
      Array.from({ length: 20 }, (_, index) => app.on(index).request('DELETE', path, { token: greedy.token, headers })),
    );
    const answers = await Promise.all(Array.from({ length: 10 }, (_, index) => create(greedy, index)));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(await ownedBy(greedy)).toHaveLength(most);
  });

  it('one place is left, 20 requests carry one Idempotency-Key: all get the one resource', async () => {
    const remove = async () => {
      const [one] = await ownedBy(greedy);
      const headers = { 'if-match': `"${String(one?.['version'])}"` };
      await app.request('DELETE', `/v1/resources/${String(one?.['id'])}`, { token: greedy.token, headers });
    };
    const send = (key: string, index = 0) =>
      app
        .on(index)
        .request('POST', '/v1/resources', { token: greedy.token, headers: { 'idempotency-key': key }, body });
    await remove();
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => send('"one-of-twenty-requests"', index)),
    );
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 201));
    expect(await ownedBy(greedy)).toHaveLength(most);
    expect((await send('"the-next-request"')).status).toBe(409);
    await remove();
    expect((await send('"the-next-request"')).status).toBe(201);
  });
});

/** By SQL, because it would take minutes: whoever writes, the count is kept. */
const fill = ({ userId }: Actor, count: number) =>
  app.sql(
    `INSERT INTO resources (id, owner_id, title, body, owner_quota)
     SELECT ('01900000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, $1, 'One of many', '', $2
     FROM generate_series(1, $2) n`,
    [userId, count],
  );
