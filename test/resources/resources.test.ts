import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signUp, type Actor } from '../support/actors.js';
import { startApp, type TestApp } from '../support/app.js';
import { createResource, shareWith, storedRow, unshare } from './support.js';
import { neverIssued } from '../support/http.js';

let app: TestApp;
let alice: Actor;
let eve: Actor;
let vic: Actor;
let mallory: Actor;

beforeAll(async () => {
  app = await startApp();
  [alice, eve, vic, mallory] = (await Promise.all(
    ['alice', 'eve', 'vic', 'mallory'].map((name) => signUp(app, name)),
  )) as [Actor, Actor, Actor, Actor];
});
afterAll(() => app.close());

describe('resources: an honest user [practice 2.4]', () => {
  it('creates, reads, changes and deletes a resource', async () => {
    const { id, etag } = await createResource(app, alice);
    const read = await app.request('GET', `/v1/resources/${id}`, { token: alice.token });
    expect(read.body).toMatchObject({ id, title: 'Minutes', note: 'Only for us.', ownerId: alice.userId, version: 1 });
    const changed = await app.request('PATCH', `/v1/resources/${id}`, {
      token: alice.token,
      headers: { 'if-match': etag },
      body: { note: null },
    });
    expect(changed).toMatchObject({ status: 200, headers: { etag: '"2"' }, body: { note: null, version: 2 } });
    const gone = await app.request('DELETE', `/v1/resources/${id}`, {
      token: alice.token,
      headers: { 'if-match': '"2"' },
    });
    expect(gone.status).toBe(204);
    expect(await storedRow(app, id)).toBeUndefined();
  });

  it('writes the audit event with the change [ASVS 16.3.3]', async () => {
    const { id } = await createResource(app, alice);
    const event = await app.auditEvent('sensitive_create', (row) => row['target_id'] === id);
    expect(event).toMatchObject({ actor_id: alice.userId, outcome: 'success', target_type: 'resource' });
  });

  it('pages through the list without a gap or a repetition', async () => {
    const owner = await signUp(app, 'pages');
    const ids = [];
    for (let count = 0; count < 7; count++) ids.push((await createResource(app, owner)).id);
    const seen: string[] = [];
    let cursor = '';
    do {
      const page = await app.request('GET', `/v1/resources?limit=3${cursor}`, { token: owner.token });
      seen.push(...page.body.items.map((item: { id: string }) => item.id));
      cursor = page.body.nextCursor === null ? '' : `&cursor=${page.body.nextCursor}`;
    } while (cursor !== '');
    expect(seen).toEqual(ids.toReversed());
  });

  it('lists what is shared with a person, and what is public, each under its own scope', async () => {
    const shared = await createResource(app, alice);
    const published = await createResource(app, alice, { visibility: 'public' });
    await shareWith(app, alice, shared.id, vic, 'viewer');
    const idsOf = async (scope: string) =>
      (await app.request('GET', `/v1/resources?scope=${scope}`, { token: vic.token })).body.items.map(
        (item: { id: string }) => item.id,
      );
    expect(await idsOf('shared')).toContain(shared.id);
    expect(await idsOf('public')).toContain(published.id);
    expect(await idsOf('owned')).not.toContain(shared.id);
  });
});

describe('resources: object level authorization [API1]', () => {
  it("asks for somebody else's resource: the same 404 as for an id that was never issued [ASVS 8.2.2]", async () => {
    const { id, etag } = await createResource(app, alice);
    const before = await storedRow(app, id);
    for (const [method, suffix] of [
      ['GET', ''],
      ['HEAD', ''],
      ['PATCH', ''],
      ['DELETE', ''],
      ['GET', '/shares'],
    ] as const) {
      const parts = {
        token: mallory.token,
        headers: { 'if-match': etag },
        ...(method === 'PATCH' ? { body: { title: 'mine' } } : {}),
      };
      const foreign = await app.request(method, `/v1/resources/${id}${suffix}`, parts);
      const absent = await app.request(method, `/v1/resources/${neverIssued}${suffix}`, parts);
      expect([method, foreign.status]).toEqual([method, 404]);
      expect(comparable(foreign)).toEqual(comparable(absent));
    }
    expect(await storedRow(app, id)).toEqual(before);
  });

  it('is refused: the refusal is in the audit trail [ASVS 16.3.2]', async () => {
    const { id } = await createResource(app, alice);
    await app.request('GET', `/v1/resources/${id}`, { token: mallory.token });
    const event = await app.auditEvent('authz_fail', (row) => row['target_id'] === id);
    expect(event).toMatchObject({ actor_id: mallory.userId, outcome: 'denied' });
  });

  it('a viewer changes, deletes or shares: 403, and nothing changes [A1-2]', async () => {
    const { id, etag } = await createResource(app, alice);
    await shareWith(app, alice, id, vic, 'viewer');
    const before = await storedRow(app, id);
    const headers = { 'if-match': etag };
    expect(
      (await app.request('PATCH', `/v1/resources/${id}`, { token: vic.token, headers, body: { title: 'mine' } }))
        .status,
    ).toBe(403);
    expect((await app.request('DELETE', `/v1/resources/${id}`, { token: vic.token, headers })).status).toBe(403);
    const grant = { token: vic.token, body: { role: 'viewer' } };
    expect((await app.request('PUT', `/v1/resources/${id}/shares/${mallory.userId}`, grant)).status).toBe(403);
    expect(await storedRow(app, id)).toEqual(before);
    expect(
      await app.sql('SELECT * FROM resource_shares WHERE resource_id = $1 AND user_id = $2', [id, mallory.userId]),
    ).toEqual([]);
  });

  it('an editor deletes, or makes herself more than an editor: 403 [A1-2] [A3-7]', async () => {
    const { id, etag } = await createResource(app, alice);
    await shareWith(app, alice, id, eve, 'editor');
    expect(
      (await app.request('DELETE', `/v1/resources/${id}`, { token: eve.token, headers: { 'if-match': etag } })).status,
    ).toBe(403);
    const grant = { token: eve.token, body: { role: 'owner' } };
    expect((await app.request('PUT', `/v1/resources/${id}/shares/${eve.userId}`, grant)).status).toBe(422);
    expect((await app.request('DELETE', `/v1/resources/${id}/shares/${eve.userId}`, { token: eve.token })).status).toBe(
      403,
    );
    expect(await storedRow(app, id)).toMatchObject({ owner_id: alice.userId });
  });

  it('an editor may change: 200', async () => {
    const { id, etag } = await createResource(app, alice);
    await shareWith(app, alice, id, eve, 'editor');
    const changed = await app.request('PATCH', `/v1/resources/${id}`, {
      token: eve.token,
      headers: { 'if-match': etag },
      body: { note: 'by eve' },
    });
    expect(changed).toMatchObject({ status: 200, body: { note: 'by eve', ownerId: alice.userId } });
  });

  it('swaps the parent of a share: 404, and the share stays [A1-3]', async () => {
    const { id } = await createResource(app, alice);
    await shareWith(app, alice, id, vic, 'viewer');
    const own = await createResource(app, mallory);
    expect(
      (await app.request('DELETE', `/v1/resources/${id}/shares/${vic.userId}`, { token: mallory.token })).status,
    ).toBe(404);
    expect(
      (await app.request('DELETE', `/v1/resources/${own.id}/shares/${vic.userId}`, { token: mallory.token })).status,
    ).toBe(404);
    expect(await app.sql('SELECT role FROM resource_shares WHERE resource_id = $1', [id])).toEqual([
      { role: 'viewer' },
    ]);
  });

  it('an ex-member goes on with her token: 404 from the next request on [A1-4] [ASVS 8.3.2]', async () => {
    const { id, etag } = await createResource(app, alice);
    await shareWith(app, alice, id, eve, 'editor');
    await unshare(app, alice, id, eve);
    for (const instance of app.instances) {
      const read = await instance.request('GET', `/v1/resources/${id}`, {
        token: eve.token,
        headers: { 'if-none-match': etag },
      });
      expect(read.status).toBe(404);
    }
  });

  it.each(['%00', 'UPPER', '{id}', '%2e%2e%2fme', "1' OR '1'='1", '9223372036854775808', '[]', '1e1'])(
    'spells an id as %s: 400 or 404, never 500 [A1-8] [ASVS 1.2.4]',
    async (spelling) => {
      const path = spelling === 'UPPER' ? (await createResource(app, alice)).id.toUpperCase() : encodeURI(spelling);
      const { status } = await app.request('GET', `/v1/resources/${path}`, { token: alice.token });
      expect([400, 404]).toContain(status);
    },
  );
});

describe('resources: property level authorization [API3]', () => {
  it('a viewer and the public never see the note: it is absent [A3-4] [ASVS 8.2.3]', async () => {
    const { id } = await createResource(app, alice, { visibility: 'public', note: 'canary-note-4711' });
    await shareWith(app, alice, id, vic, 'viewer');
    for (const person of [vic, mallory]) {
      const read = await app.request('GET', `/v1/resources/${id}`, { token: person.token });
      expect(read.status).toBe(200);
      expect(read.body).not.toHaveProperty('note');
      for (const scope of ['public', 'shared']) {
        const list = await app.request('GET', `/v1/resources?scope=${scope}&limit=100`, { token: person.token });
        expect(list.text).not.toContain('canary-note-4711');
      }
    }
  });

  it.each(['id', 'ownerId', 'version', 'createdAt', 'shares', 'owner', '__proto__'])(
    'creates and changes with the field %s: 400, and nothing is stored [A3-2] [ASVS 15.3.3]',
    async (field) => {
      const { id, etag } = await createResource(app, alice);
      const before = await storedRow(app, id);
      const value = field === 'shares' ? { create: [{ userId: mallory.userId, role: 'editor' }] } : mallory.userId;
      const raw = `{"title":"x","body":"y","${field}":${JSON.stringify(value)}}`;
      const [{ count }] = (await app.sql('SELECT count(*)::int AS count FROM resources')) as [{ count: number }];
      expect((await app.request('POST', '/v1/resources', { token: alice.token, raw })).status).toBe(400);
      const parts = { token: alice.token, raw, headers: { 'if-match': etag } };
      expect((await app.request('PATCH', `/v1/resources/${id}`, parts)).status).toBe(400);
      expect(await storedRow(app, id)).toEqual(before);
      expect(await app.sql('SELECT count(*)::int AS count FROM resources')).toEqual([{ count }]);
    },
  );

  it.each(['sort=note', 'note=a', 'note[startsWith]=a', 'ownerId=x', 'include=owner'])(
    'asks the list for %s: 400 [A3-5] [ASVS 4.3.1]',
    async (query) => {
      expect((await app.request('GET', `/v1/resources?${query}`, { token: alice.token })).status).toBe(400);
    },
  );
});

describe('resources: concurrent edits [practice 6.2]', () => {
  it('changes without If-Match: 428; with the tag of an older version: 412; nothing changes', async () => {
    const { id } = await createResource(app, alice);
    const before = await storedRow(app, id);
    const body = { title: 'lost update' };
    expect((await app.request('PATCH', `/v1/resources/${id}`, { token: alice.token, body })).status).toBe(428);
    expect(
      (await app.request('PATCH', `/v1/resources/${id}`, { token: alice.token, body, headers: { 'if-match': '*' } }))
        .status,
    ).toBe(428);
    expect(
      (await app.request('PATCH', `/v1/resources/${id}`, { token: alice.token, body, headers: { 'if-match': '"7"' } }))
        .status,
    ).toBe(412);
    expect(
      (await app.request('DELETE', `/v1/resources/${id}`, { token: alice.token, headers: { 'if-match': 'W/"7"' } }))
        .status,
    ).toBe(412);
    expect(await storedRow(app, id)).toEqual(before);
  });

  it('sends 20 changes of one version at once, to all instances: one wins [ASVS 15.4.2]', async () => {
    const { id, etag } = await createResource(app, alice);
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        app.on(index).request('PATCH', `/v1/resources/${id}`, {
          token: alice.token,
          headers: { 'if-match': etag },
          body: { title: `t${index}` },
        }),
      ),
    );
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, ...Array.from({ length: 19 }, () => 412)]);
    expect(await storedRow(app, id)).toMatchObject({ version: 2 });
  });
});

/** What an attacker can compare: everything but the request's own id, the date and the remaining budget. */
function comparable({ status, headers, body }: Awaited<ReturnType<TestApp['request']>>) {
  const { 'date': _, 'x-request-id': __, 'ratelimit': ___, ...rest } = headers;
  return { status, headers: rest, body: body === '' ? '' : { ...body, requestId: '' } };
}
