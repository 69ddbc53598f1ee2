import { Controller, Get, Module } from '@nestjs/common';
import { ApiOkResponse } from '@nestjs/swagger';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { serviceKeyPermissions } from '../../../src/auth/api-keys/api-keys.access.js';
import { Can, peopleAndMachines } from '../../../src/common/access/access.decorators.js';
import { ViewField } from '../../../src/common/http/view.js';
import { Conformance } from '../../api-docs/answer-check.js';
import { signUp, signUpAdministrator, type Actor } from '../../support/actors.js';
import { startApp, type TestApp } from '../../support/app.js';
import { SamplesModule } from '../../support/sample/samples.module.js';
import { createSample } from '../../support/sample/samples.js';
import { unlimited } from '../../support/unlimited.js';
import { askForKey, callWith, makeKey } from './keys.js';

class GaugeView {
  @ViewField({ type: 'integer' })
  value: number;
}

/** For machines of administrators. */
@Controller('v1/gauges')
class GaugesController {
  @Get()
  @Can(serviceKeyPermissions.read, { kinds: peopleAndMachines })
  @ApiOkResponse({ type: GaugeView })
  read(): GaugeView {
    return { value: 1 };
  }
}

@Module({ controllers: [GaugesController] })
class GaugesModule {}

describe('keys that people make for their programs [practice 2.2] [ASVS 13.2.1]', () => {
  let app: TestApp;
  let alice: Actor;

  beforeAll(async () => {
    unlimited();
    app = await startApp({ modules: [SamplesModule, GaugesModule], env: { API_KEY_MAX_DAYS: '60' } });
  });
  beforeEach(async () => {
    alice = await signUp(app, 'alice');
  });
  afterAll(() => app.close());

  it('an honest program reaches what its owner has, and log and audit trail name it', async () => {
    const { id: sample } = await createSample(app, alice);
    const { id, key } = await makeKey(app, alice);
    expect(await callWith(app, key, `/v1/samples/${sample}`)).toBe(200);
    expect((await app.request('POST', '/v1/samples', { token: key, body: { title: 't', body: 'b' } })).status).toBe(
      403,
    );
    const event = await app.auditEvent('authz_fail', (row) => row['machine_id'] === id);
    expect(event).toMatchObject({ actor_kind: 'machine', actor_id: alice.userId, session_id: null });
    // With: logging.
    expect(app.logs()).toContainEqual(expect.objectContaining({ 'machine.id': id }));
  });

  it('shows a key once: neither list nor database nor log has it [ASVS 14.2.1]', async () => {
    const { id, key } = await makeKey(app, alice);
    await callWith(app, key);
    const list = await app.request('GET', '/v1/api-keys', { token: alice.token });
    expect(list.body.items.map((item: { id: string }) => item.id)).toEqual([id]);
    const secret = key.slice(-49, -6);
    const [row] = await app.sql('SELECT * FROM api_keys WHERE id = $1', [id]);
    for (const text of [list.text, app.logText(), JSON.stringify(row)]) expect(text).not.toContain(secret);
    expect(list.text).not.toContain('Mac');
  });

  it('the owner is mailed that a key was made, and the audit trail has it [ASVS 6.3.7]', async () => {
    const { id } = await makeKey(app, alice);
    // With: notices.
    expect((await app.mailTo(alice.email, 'A new API key')).text).toContain('a new password alone does not end it');
    await app.auditEvent('api_key_created', ({ details }) => (details as { key: string }).key === id);
  });

  it('asks for what is for people only, or nobody knows: 422, no key [A5-4] [ASVS 8.2.1]', async () => {
    for (const scopes of [
      ['account:read'],
      ['sample:read', 'api-key:manage'],
      ['sample:*'],
      ['*'],
      [],
      'sample:read',
    ]) {
      const { status, body } = await askForKey(app, alice, { scopes });
      expect([scopes, status, body.errors[0].pointer]).toEqual([scopes, 422, '/scopes']);
    }
    expect(await app.sql('SELECT id FROM api_keys WHERE user_id = $1', [alice.userId])).toEqual([]);
  });

  it('asks for a permission that the owner has not: 422 [A5-4]', async () => {
    const { status, body } = await askForKey(app, alice, { scopes: ['service-key:read'] });
    expect([status, body.errors[0].message]).toEqual([422, 'scopes must name permissions that you hold']);
    const boss = await signUpAdministrator(app);
    const { key } = await makeKey(app, boss, { scopes: ['service-key:read'] });
    expect(await callWith(app, key, '/v1/gauges')).toBe(200);
  });

  it('the owner loses the right: 403 with the next request [ASVS 8.3.2]', async () => {
    const boss = await signUpAdministrator(app);
    const { key } = await makeKey(app, boss, { scopes: ['service-key:read', 'sample:read'] });
    await app.operate(`UPDATE users SET roles = '{user}' WHERE id = $1`, [boss.userId]);
    app.clock.advance(3);
    expect(await callWith(app, key, '/v1/gauges')).toBe(403);
    expect(await callWith(app, key)).toBe(200);
  });

  it.each([
    ['no end', { expiresInDays: undefined }],
    ['an end of now', { expiresInDays: 0 }],
    ['an end after the configured maximum', { expiresInDays: 61 }],
    ['an end that is no whole number', { expiresInDays: 1.5 }],
    ['the whole internet as its range', { addressRanges: ['0.0.0.0/0'] }],
    ['no range in its ranges', { addressRanges: [] }],
    ['a range that is none', { addressRanges: ['10.0.0.0/33'] }],
    ['a name of a host as its range', { addressRanges: ['localhost'] }],
    ['a zone in its range', { addressRanges: ['fe80::1%eth0'] }],
    ['more ranges than there may be', { addressRanges: Array.from({ length: 21 }, (_, at) => `10.0.0.${at}`) }],
    ['no name that anybody can see', { name: ' ' }],
  ])('asks for a key with %s: 422', async (_, wishes) => {
    expect((await askForKey(app, alice, wishes)).status).toBe(422);
  });

  it.each([
    ['owner', { userId: crypto.randomUUID() }],
    ['tier', { tier: 'high' }],
    ['service', { service: 'x' }],
  ])('sends the %s along: 400, unknown fields are refused [API3]', async (_, wishes) =>
    expect((await askForKey(app, alice, wishes)).status).toBe(400),
  );

  it('makes a key in a session whose sign-in is old: 401, and none is made [A2-8] [ASVS 7.5.1]', async () => {
    await app.operate(`UPDATE sessions SET authenticated_at = now() - interval '6 minutes' WHERE user_id = $1`, [
      alice.userId,
    ]);
    app.clock.advance(3);
    const { status, body } = await askForKey(app, alice);
    expect([status, body.type]).toEqual([401, '/problems/step-up-required']);
    expect(await app.sql('SELECT id FROM api_keys WHERE user_id = $1', [alice.userId])).toEqual([]);
  });

  it('makes more keys than there may be: 409, however many are asked for at once [A4-2]', async () => {
    const { id } = await makeKey(app, alice);
    await app.sql(
      `INSERT INTO api_keys (id, user_id, name, scopes, tier, secret_mac, expires_at)
       SELECT gen_random_uuid(), user_id, name, scopes, tier, secret_mac, expires_at
       FROM api_keys, generate_series(1, 98) WHERE id = $1`,
      [id],
    );
    const answers = await Promise.all(Array.from({ length: 4 }, () => askForKey(app, alice)));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 409, 409, 409]);
  });

  // With: api-docs.
  it('publishes the scheme at routes that are open to machines, and at no other', () => {
    const { paths, components } = Conformance.of(app.on(0).service).document;
    expect(components?.securitySchemes?.['api-key']).toMatchObject({ type: 'http', bearerFormat: 'API key' });
    expect(paths['/v1/samples']?.get?.security).toContainEqual({ 'api-key': [] });
    expect(paths['/v1/api-keys']?.post?.security).toEqual([{ bearer: [] }]);
  });
});
