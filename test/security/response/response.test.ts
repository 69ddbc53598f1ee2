import { userInfo } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commands } from '../../../src/cli/commands.js';
import { endBeside } from '../../cli/ends.js';
import { signIn, signUp, signUpAdministrator, type Actor } from '../../support/actors.js';
import { startApp, type TestApp } from '../../support/app.js';
import { timing } from '../../support/timing.js';
import { anotherAddress } from '../../support/http.js';

let app: TestApp;
let alice: Actor;
const end = endBeside(() => app);
const why = ['--reason', 'stuffing from one network', '--operator', 'erin'];

beforeAll(async () => {
  app = await startApp({ env: { RATE_LIMIT_SCALE: '1000' } });
  alice = await signUp(app, 'alice');
});
afterAll(() => app.close());

/** Operators wait no longer than a second for an instance to obey. */
const withinASecond = { timeout: 1_000, interval: 20 };
const soon = { timeout: 20_000, interval: 20 };
const me = async (on: number, from: string | undefined, { token } = alice) =>
  (await app.on(on).request('GET', '/v1/users/me', { token, from })).status;
const everywhere = (from?: string, actor?: Actor) => Promise.all(app.instances.map((_, on) => me(on, from, actor)));
const rename = (on: number) =>
  app.on(on).request('PATCH', '/v1/users/me', { token: alice.token, body: { name: 'Mallory' } });
const renames = () => Promise.all(app.instances.map(async (_, on) => (await rename(on)).status));
const all = (status: number) => app.instances.map(() => status);

describe('an address is blocked for a time [practice 11.3]', () => {
  it(
    'respond:block: nothing from it is answered on any instance within a second, and all others are',
    timing,
    async () => {
      const [attacker, neighbour] = [anotherAddress(), anotherAddress()];
      expect(await end('respond:block', [attacker, '--minutes', '5', ...why])).toMatchObject({
        code: 0,
        output: expect.stringMatching(new RegExp(String.raw`^blocked ${attacker} until 20\d\d-`)),
      });
      await expect.poll(() => everywhere(attacker), withinASecond).toEqual(all(403));
      expect(await everywhere(neighbour)).toEqual(all(200));
    },
  );

  it('who is blocked learns it before body and credential are looked at, and it is recorded', async () => {
    const attacker = anotherAddress();
    await end('respond:block', [attacker, ...why]);
    const attempt = () => app.request('POST', '/v1/auth/login', { from: attacker, raw: '{' });
    await expect.poll(async () => (await attempt()).status, soon).toBe(403);
    expect((await attempt()).body).toMatchObject({ type: expect.stringMatching(/\/problems\/address-blocked$/) });
    await app.auditEvent(
      'response_request_blocked',
      ({ network, outcome }) => network === attacker && outcome === 'denied',
    );
  });

  it('a range, and respond:unblock: answered again', async () => {
    const [attacker, range] = ['127.251.9.7', '127.251.9.0/24'];
    await end('respond:block', [range, ...why]);
    await expect.poll(() => everywhere(attacker), soon).toEqual(all(403));
    expect((await end('respond:status')).output).toContain(`block  ${range}  until 20`);
    expect(await end('respond:unblock', [range, ...why])).toMatchObject({
      code: 0,
      output: `answers ${range} again\n`,
    });
    await expect.poll(() => everywhere(attacker), soon).toEqual(all(200));
  });

  it.each(['0.0.0.0/0', '10.0.0.0/8', '::/0', '2001:db8::/16', 'example.org', '1.2.3', '1.2.3.4/33', ''])(
    'blocks nobody for %j: usage, and no row',
    async (text) => {
      const before = await app.sql('SELECT FROM restrictions');
      await expect(end('respond:block', [text, ...why])).rejects.toThrow(/set an IP address, or a range/);
      expect(await app.sql('SELECT FROM restrictions')).toEqual(before);
    },
  );
});

describe('lockdown: the service only reads [practice 11.3]', () => {
  it('writes are refused on every instance within a second; reading and signing in go on', timing, async () => {
    await end('respond:lockdown', ['--minutes', '5', ...why]);
    await expect.poll(renames, withinASecond).toEqual(all(503));
    const refused = await rename(0);
    expect(refused).toMatchObject({ status: 503, body: { detail: expect.stringMatching(/only reads at the moment/) } });
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(200);
    const again = await signIn(app, alice);
    expect((await app.request('POST', '/v1/auth/logout', { token: again.token })).status).toBe(204);
    await app.auditEvent('response_write_refused', ({ outcome }) => outcome === 'denied');
    expect(await end('respond:reopen', why)).toMatchObject({ code: 0, output: 'the service writes again\n' });
    await expect.poll(renames, withinASecond).toEqual(all(200));
  });

  // With: administration.
  it('an administrator still stops a thief: ends sessions in the midst of a lockdown', async () => {
    const [admin, thief] = [await signUpAdministrator(app), await signUp(app, 'thief')];
    await end('respond:lockdown', why);
    await expect.poll(renames, soon).toEqual(all(503));
    const path = `/v1/users/${thief.userId}/sessions`;
    expect((await app.request('DELETE', path, { token: admin.token })).status).toBe(204);
    expect(await me(0, undefined, thief)).toBe(401);
    await end('respond:reopen', why);
    await expect.poll(renames, soon).toEqual(all(200));
  });
});

describe('every response says who, and why [practice 11.3] [ASVS 16.2.1]', () => {
  it('operator and reason stand in the audit event, and without --operator the user of the machine', async () => {
    const network = anotherAddress();
    await end('respond:block', [network, ...why]);
    const isOurs = ({ details }: Record<string, unknown>) =>
      (details as Record<string, unknown>)['network'] === network;
    expect(await app.auditEvent('response_block_set', isOurs)).toMatchObject({
      details: { operator: 'erin', reason: 'stuffing from one network' },
    });
    await end('respond:unblock', [network, '--reason=false alarm']);
    expect(await app.auditEvent('response_block_lifted', isOurs)).toMatchObject({
      details: { operator: userInfo().username, reason: 'false alarm' },
    });
  });

  it.each([[[]], [['--reason', ' ']], [['--reason', 'x'.repeat(201)]], [['--reason']]])(
    'nothing happens without a reason: %j',
    async (words) => {
      const before = await app.sql('SELECT FROM restrictions');
      await expect(end('respond:lockdown', words)).rejects.toThrow(/^say why: --reason/);
      expect(await app.sql('SELECT FROM restrictions')).toEqual(before);
    },
  );

  it('each response of any part asks for it, before it does anything', async () => {
    const responses = commands.filter(({ name }) => name.startsWith('respond:') && name !== 'respond:status');
    expect(responses.map(({ name }) => name)).toContain('respond:rotate-key');
    for (const { name } of responses) await expect(end(name), name).rejects.toThrow(/^say why: --reason/);
  });

  // With: administration.
  it('respond:disable-user: out within a second on every instance, with operator and reason', timing, async () => {
    const thief = await signUp(app, 'thief');
    expect(await everywhere(undefined, thief)).toEqual(all(200));
    const ended = await end('respond:disable-user', [thief.email, ...why]);
    expect(ended).toMatchObject({ code: 0, output: `disabled ${thief.userId}\n` });
    await expect.poll(() => everywhere(undefined, thief), withinASecond).toEqual(all(401));
    expect(await app.auditEvent('user_disabled', ({ target_id }) => target_id === thief.userId)).toMatchObject({
      details: { by: 'operator', operator: 'erin', reason: 'stuffing from one network' },
    });
  });

  // With: administration.
  it('respond:end-sessions --network: those from there are out, those from elsewhere stay', async () => {
    const [here, there] = [anotherAddress(), anotherAddress()];
    const vic = await signUp(app, 'vic');
    const credentials = { email: vic.email, password: vic.password };
    const stolen = await app.request('POST', '/v1/auth/login', { from: there, body: credentials });
    const own = await app.request('POST', '/v1/auth/login', { from: here, body: credentials });
    const ended = await end('respond:end-sessions', ['--network', there, ...why]);
    expect(ended).toMatchObject({ code: 0, output: `ended 1 sessions of ${there}\n` });
    const statusOf = (token: string) => me(0, undefined, { ...vic, token });
    await expect.poll(() => statusOf(stolen.body.accessToken), soon).toBe(401);
    expect(await statusOf(own.body.accessToken)).toBe(200);
  });
});

// The last ones: commands have the clock of the machine, and the service another one from here on.
describe('what is set ends by itself: whoever forgets it locks nobody out for good [practice 11.3]', () => {
  it('a block of a minute is over after a minute', async () => {
    const attacker = anotherAddress();
    await end('respond:block', [attacker, '--minutes', '1', ...why]);
    await expect.poll(() => everywhere(attacker), soon).toEqual(all(403));
    app.clock.advance(61);
    expect(await everywhere(attacker)).toEqual(all(200));
  });

  it('so is a lockdown of three minutes', async () => {
    await end('respond:lockdown', ['--minutes', '3', ...why]);
    await expect.poll(renames, soon).toEqual(all(503));
    app.clock.advance(121);
    expect(await renames()).toEqual(all(200));
  });
});
