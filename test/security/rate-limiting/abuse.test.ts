import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mailedToken, signUp, type Actor } from '../../support/actors.js';
import { startApp, type TestApp } from '../../support/app.js';
import { limitOf } from '../../support/declared-limits.js';
import { anotherAddress } from '../../support/http.js';
import { inventoryWithSamples } from '../../support/inventory.js';
import { SamplesModule } from '../../support/sample/samples.module.js';
import { createSample, shareSample } from '../../support/sample/samples.js';

let app: TestApp;
let alice: Actor;
let vic: Actor;

beforeAll(async () => {
  app = await startApp({ modules: [SamplesModule], instances: 1 });
  [alice, vic] = await Promise.all([signUp(app, 'alice'), signUp(app, 'vic')]);
});
afterAll(() => app.close());

const register = (email: string, from?: string) => app.request('POST', '/v1/auth/register', { body: { email }, from });

describe('mass sign-up [API6] [ASVS 2.4.1] [ASVS 2.3.1] [practice 4.2]', () => {
  it('registers many addresses from one network, and plus-addresses of one mailbox: capped [A6-1]', async () => {
    const from = anotherAddress();
    const perNetwork = limitOf('mail-network').requests;
    const perMailbox = limitOf('mail-account').requests;
    const fromOne = [];
    for (let at = 0; at < perNetwork + 5; at++) fromOne.push((await register(`mass${at}@example.org`, from)).status);
    const ofOne = [];
    for (let at = 0; at < perMailbox + 5; at++) ofOne.push((await register(`mailbox+${at}@example.org`)).status);
    expect(fromOne).toEqual([...Array<number>(perNetwork).fill(202), ...Array<number>(5).fill(429)]);
    expect(ofOne).toEqual([...Array<number>(perMailbox).fill(202), ...Array<number>(5).fill(429)]);
    await app.mailQuiet();
    expect(app.outbox().filter(({ to }) => /^mass\d+@/.test(to))).toHaveLength(perNetwork);
    expect(app.outbox().filter(({ to }) => to.startsWith('mailbox+'))).toHaveLength(perMailbox);
    expect(
      await app.auditEvent('excess_rate_limit_exceeded', ({ details }) =>
        JSON.stringify(details).includes('mail-network'),
      ),
    ).toBeDefined();
  });

  it('has registered, and not verified: no account, and the token opens no route but public ones [A6-1]', async () => {
    const email = 'unverified@example.org';
    await register(email);
    const token = await mailedToken(app, email);
    for (const { method, path } of inventoryWithSamples().filter(({ access }) => access !== 'public')) {
      const { status } = await app.request(method, path.replaceAll(/:\w+/g, alice.userId), { token });
      expect([method, path, status]).toEqual([method, path, 401]);
    }
    const login = { email, password: 'seven quiet lanterns above' };
    expect((await app.request('POST', '/v1/auth/login', { body: login })).status).toBe(401);
    const people = await app.sql<{ id: string }>('SELECT id::text FROM users');
    expect(people.map((row) => row.id).toSorted()).toEqual([alice.userId, vic.userId].toSorted());
  });
});

describe('harvesting [API6] [ASVS 2.4.1] [ASVS 16.3.3] [practice 4.1]', () => {
  it('pages through everything, then exports in a loop: slowed, an event each, a quota [A6-5]', async () => {
    for (let count = 0; count < 3; count++) await shareSample(app, (await createSample(app, alice)).id, vic);
    const exports: number[] = [];
    const quota = limitOf('export').requests;
    for (let count = 0; count < quota + 2; count++)
      exports.push((await app.request('GET', '/v1/users/me/export', { token: vic.token })).status);
    expect(exports).toEqual([...Array<number>(quota).fill(200), 429, 429]);
    let cursor = '';
    let pages = 0;
    for (;;) {
      const { status, body, headers } = await app.request('GET', `/v1/samples?scope=shared&limit=1${cursor}`, {
        token: vic.token,
      });
      if (status === 429) {
        expect(Number(headers['retry-after'])).toBeGreaterThan(0);
        break;
      }
      pages += 1;
      expect(pages).toBeLessThanOrEqual(limitOf('user').requests);
      cursor = body.nextCursor === null ? '' : `&cursor=${body.nextCursor}`;
    }
    const ofVic = (limit: string) =>
      app.auditEvent(
        'excess_rate_limit_exceeded',
        (row) => row['actor_id'] === vic.userId && JSON.stringify(row['details']).includes(`"${limit}"`),
      );
    expect(await ofVic('export')).toBeDefined();
    expect(await ofVic('user')).toBeDefined();
    expect(
      await app.sql(`SELECT 1 FROM audit_events WHERE action = 'sensitive_read' AND actor_id = $1`, [vic.userId]),
    ).toHaveLength(quota);
  });
});
