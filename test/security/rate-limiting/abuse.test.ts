import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { limitsAfterAuthentication, limitsBeforeAuthentication, limitsOfCallers } from '../../../src/security/rate-limiting/limits.js';
import { mailedToken, signUp, type Actor } from '../../support/actors.js';
import { startApp, type TestApp } from '../../support/app.js';
import { anotherAddress } from '../../support/http.js';
import { createResource, invite, shareWith } from '../../support/resources.js';

let app: TestApp;
let alice: Actor;
let vic: Actor;

beforeAll(async () => {
  app = await startApp({ instances: 1 });
  [alice, vic] = await Promise.all([signUp(app, 'alice'), signUp(app, 'vic')]);
});
afterAll(() => app.close());

const register = (email: string, from?: string) => app.request('POST', '/v1/auth/register', { body: { email }, from });

describe('mass sign-up [API6] [ASVS 2.4.1] [ASVS 2.3.1] [practice 4.2]', () => {
  it('registers many addresses from one network, and plus-addresses of one mailbox from many: capped, and no mail beyond [A6-1]', async () => {
    const from = anotherAddress();
    const perNetwork = limitsBeforeAuthentication.mail.find(({ per }) => per === 'network')?.requests ?? 0;
    const perMailbox = limitsBeforeAuthentication.mail.find(({ per }) => per === 'account')?.requests ?? 0;
    const fromOne = [];
    for (let at = 0; at < perNetwork + 5; at++) fromOne.push((await register(`mass${at}@example.org`, from)).status);
    const ofOne = [];
    for (let at = 0; at < perMailbox + 5; at++) ofOne.push((await register(`mailbox+${at}@example.org`)).status);
    expect(fromOne).toEqual([...Array<number>(perNetwork).fill(202), ...Array<number>(5).fill(429)]);
    expect(ofOne).toEqual([...Array<number>(perMailbox).fill(202), ...Array<number>(5).fill(429)]);
    await app.mailQuiet();
    expect(app.outbox().filter(({ to }) => /^mass\d+@/.test(to))).toHaveLength(perNetwork);
    expect(app.outbox().filter(({ to }) => to.startsWith('mailbox+'))).toHaveLength(perMailbox);
    expect(await app.auditEvent('excess_rate_limit_exceeded', ({ details }) => JSON.stringify(details).includes('mail-network'))).toBeDefined();
  });

  it('has registered, and not verified: there is no account, so it creates nothing, shares nothing, accepts nothing and holds no key [A6-1]', async () => {
    const email = 'unverified@example.org';
    await register(email);
    const token = await mailedToken(app, email);
    const { id } = await createResource(app, alice);
    const sent = await invite(app, alice, id, email);
    expect(sent.status).toBeLessThan(300);
    const [invitation] = await app.sql<{ id: string }>('SELECT id::text FROM invitations WHERE resource_id = $1', [id]);
    const calls = [
      ['POST', '/v1/auth/login', { email, password: 'seven quiet lanterns above' }],
      ['POST', '/v1/resources', { title: 'Mine', body: '' }],
      ['POST', `/v1/resources/${id}/shares`, { email: 'other@example.org', role: 'viewer' }],
      ['POST', `/v1/invitations/${invitation?.id}/accept`, undefined],
      ['POST', '/v1/auth/passkeys/registration-options', undefined],
      ['POST', '/v1/auth/passkeys', { name: 'key' }],
    ] as const;
    for (const [method, path, body] of calls) expect([path, (await app.request(method, path, { token, body })).status]).toEqual([path, 401]);
    expect(await app.sql('SELECT 1 FROM resource_shares WHERE resource_id = $1', [id])).toEqual([]);
    const people = await app.sql<{ id: string }>('SELECT id::text FROM users');
    expect(people.map((row) => row.id).toSorted()).toEqual([alice.userId, vic.userId].toSorted());
  });
});

describe('harvesting [API6] [ASVS 2.4.1] [ASVS 16.3.3] [practice 4.1]', () => {
  it('pages through everything at machine speed, then exports in a loop: slowed, with an event each, and the export has a quota [A6-5]', async () => {
    for (let count = 0; count < 3; count++) await shareWith(app, alice, (await createResource(app, alice)).id, vic, 'viewer');
    const exports: number[] = [];
    const quota = limitsOfCallers.export?.[0]?.requests ?? 0;
    for (let count = 0; count < quota + 2; count++) exports.push((await app.request('GET', '/v1/users/me/export', { token: vic.token })).status);
    expect(exports).toEqual([...Array<number>(quota).fill(200), 429, 429]);
    let cursor = '';
    let pages = 0;
    for (;;) {
      const { status, body, headers } = await app.request('GET', `/v1/resources?scope=shared&limit=1${cursor}`, { token: vic.token });
      if (status === 429) {
        expect(Number(headers['retry-after'])).toBeGreaterThan(0);
        break;
      }
      pages += 1;
      expect(pages).toBeLessThanOrEqual(limitsAfterAuthentication.user.requests);
      cursor = body.nextCursor === null ? '' : `&cursor=${body.nextCursor}`;
    }
    const ofVic = (limit: string) => app.auditEvent('excess_rate_limit_exceeded', (row) => row['actor_id'] === vic.userId && JSON.stringify(row['details']).includes(`"${limit}"`));
    expect(await ofVic('export')).toBeDefined();
    expect(await ofVic('user')).toBeDefined();
    expect(await app.sql(`SELECT 1 FROM audit_events WHERE action = 'sensitive_read' AND actor_id = $1`, [vic.userId])).toHaveLength(quota);
  });
});
