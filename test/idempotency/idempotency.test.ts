import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signUp, type Actor } from '../support/actors.js';
import { startApp, type TestApp } from '../support/app.js';
import { IdempotentSamplesModule } from './idempotent-samples.js';

const body = { title: 'Once', body: 'and no more', note: 'canary-4711' };

let app: TestApp;
let alice: Actor;
let mallory: Actor;

beforeAll(async () => {
  app = await startApp({ modules: [IdempotentSamplesModule] });
  [alice, mallory] = await Promise.all([signUp(app, 'alice'), signUp(app, 'mallory')]);
});
afterAll(() => app.close());

const newKey = () => `"${randomUUID()}"`;
const create = (
  key: string,
  { actor = alice, on = 0, fields = {} }: { actor?: Actor; on?: number; fields?: object } = {},
) =>
  app.on(on).request('POST', '/v1/idempotent-samples', {
    token: actor.token,
    headers: { 'idempotency-key': key },
    body: { ...body, ...fields },
  });
const countOf = async ({ userId }: Actor) =>
  (await app.sql('SELECT FROM samples WHERE owner_id = $1', [userId])).length;
const eventsAbout = (id: string) =>
  app.sql(`SELECT FROM audit_events WHERE action = 'sensitive_create' AND target_id = $1`, [id]);

describe('Idempotency-Key: a request whose answer was lost is sent again [ASVS 2.3.3]', () => {
  it('the same key and body: the same sample, one row, one audit event', async () => {
    const [key, before] = [newKey(), await countOf(alice)];
    const first = await create(key);
    expect(first).toMatchObject({
      status: 201,
      headers: { location: `/v1/idempotent-samples/${first.body.id}`, etag: '"1"' },
    });
    const again = await create(key, { on: 1 });
    expect(again).toMatchObject({ status: 201, body: first.body, headers: { location: first.headers['location'] } });
    expect(await countOf(alice)).toBe(before + 1);
    expect(await eventsAbout(first.body.id as string)).toHaveLength(1);
  });

  it('changed meanwhile: the present state; deleted meanwhile: 409, and nothing is made', async () => {
    const key = newKey();
    const { id } = (await create(key)).body;
    const headers = { 'if-match': '"1"' };
    await app.request('PATCH', `/v1/samples/${id}`, { token: alice.token, headers, body: { title: 'Changed' } });
    expect(await create(key)).toMatchObject({
      status: 201,
      body: { id, title: 'Changed', version: 2 },
      headers: { etag: '"2"' },
    });
    await app.request('DELETE', `/v1/samples/${id}`, { token: alice.token, headers: { 'if-match': '"2"' } });
    const before = await countOf(alice);
    expect((await create(key)).status).toBe(409);
    expect(await countOf(alice)).toBe(before);
  });

  it('20 at once on all instances: 20 answers, one sample [ASVS 15.4.2]', async () => {
    const [key, before] = [newKey(), await countOf(alice)];
    const answers = await Promise.all(Array.from({ length: 20 }, (_, on) => create(key, { on })));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 201));
    expect(new Set(answers.map(({ body: { id } }) => id as string)).size).toBe(1);
    expect(await countOf(alice)).toBe(before + 1);
    expect(await eventsAbout(answers[0]?.body.id as string)).toHaveLength(1);
  });

  it('another order of the fields, or an equal spelling of a value, is the same request', async () => {
    const key = newKey();
    const first = await create(key);
    const raw = JSON.stringify({ note: body.note, body: body.body, title: ` ${body.title} ` });
    const again = await app.request('POST', '/v1/idempotent-samples', {
      token: alice.token,
      headers: { 'idempotency-key': key },
      raw,
    });
    expect(again.body.id).toBe(first.body.id);
  });

  it('a day later the key is forgotten, and its row is swept', async () => {
    const key = newKey();
    const first = await create(key);
    await app.sql(`UPDATE idempotency_keys SET expires_at = now() - interval '1 second' WHERE target_id = $1`, [
      first.body.id,
    ]);
    const second = await create(key);
    expect(second.status).toBe(201);
    expect(second.body.id).not.toBe(first.body.id);
    expect(await app.sql('SELECT FROM idempotency_keys WHERE target_id = $1', [first.body.id])).toEqual([]);
  });

  it('without the header nothing is remembered', async () => {
    const { body: created } = await app.request('POST', '/v1/idempotent-samples', { token: alice.token, body });
    expect(await app.sql('SELECT FROM idempotency_keys WHERE target_id = $1', [created.id])).toEqual([]);
  });
});

describe('Idempotency-Key: an attacker', () => {
  it('sends a used key with another body: 422, and nothing is made', async () => {
    const key = newKey();
    await create(key);
    const before = await countOf(alice);
    const answer = await create(key, { fields: { title: 'Another' } });
    expect(answer).toMatchObject({ status: 422, body: { type: '/problems/idempotency-key-reused' } });
    expect(await countOf(alice)).toBe(before);
  });

  it('sends the key of somebody else: gets a sample of his own only [A1-6] [ASVS 8.2.2]', async () => {
    const key = newKey();
    const hers = await create(key);
    const his = await create(key, { actor: mallory, fields: { note: null } });
    expect(his).toMatchObject({ status: 201, body: { ownerId: mallory.userId } });
    expect(his.body.id).not.toBe(hers.body.id);
    expect(his.text).not.toContain('canary-4711');
  });

  it('reads the table: neither the key nor the request is in it [practice 7.1]', async () => {
    const key = newKey();
    const { id } = (await create(key)).body;
    const [row] = await app.sql('SELECT * FROM idempotency_keys WHERE target_id = $1', [id]);
    expect(row).toMatchObject({ user_id: alice.userId });
    expect(JSON.stringify(row)).not.toMatch(new RegExp(`canary|Once|${key.slice(1, -1)}`));
  });

  it.each(['1', '"1"', '"with space in it"', `"${'a'.repeat(65)}"`, '8e03978e-40d5-43dd-bc93-6894a57f9324', '""'])(
    'sends the key %s: 400, and nothing is made [practice 3.1]',
    async (key) => {
      const before = await countOf(alice);
      const answer = await create(key);
      expect(answer).toMatchObject({ status: 400, body: { errors: [{ pointer: 'header:idempotency-key' }] } });
      expect(await countOf(alice)).toBe(before);
    },
  );

  it('fails to create: the key is not used up, and the request can be mended [ASVS 2.3.3]', async () => {
    const key = newKey();
    expect((await create(key, { fields: { title: '' } })).status).toBe(422);
    expect((await create(key)).status).toBe(201);
  });

  it('loses the audit trail in the middle: nothing is stored, and it works later [ASVS 2.3.3]', async () => {
    const [key, before] = [newKey(), await countOf(alice)];
    const keys = () => app.sql('SELECT FROM idempotency_keys WHERE user_id = $1', [alice.userId]);
    const keysBefore = await keys();
    await app.sql(`ALTER TABLE audit_events ADD CONSTRAINT broken CHECK (action <> 'sensitive_create') NOT VALID`);
    const lost = await create(key);
    await app.sql('ALTER TABLE audit_events DROP CONSTRAINT broken');
    expect(lost.status).toBe(500);
    expect([await countOf(alice), await keys()]).toEqual([before, keysBefore]);
    expect((await create(key)).status).toBe(201);
    expect(await countOf(alice)).toBe(before + 1);
  });

  it('is erased: the keys go too', async () => {
    const person = await signUp(app, 'erased');
    await create(newKey(), { actor: person });
    expect(await app.sql('SELECT FROM idempotency_keys WHERE user_id = $1', [person.userId])).toHaveLength(1);
    expect((await app.request('DELETE', '/v1/users/me', { token: person.token })).status).toBe(204);
    expect(await app.sql('SELECT FROM idempotency_keys WHERE user_id = $1', [person.userId])).toEqual([]);
  });
});
