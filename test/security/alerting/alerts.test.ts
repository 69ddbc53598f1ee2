import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { signIn, signUpAdministrator, type Actor } from '../../support/actors.js';
import { startApp, type TestApp } from '../../support/app.js';
import { mailsOf, operator, raise, stored } from './alerting.js';

let app: TestApp;
let admin: Actor;
let token: string;
beforeAll(async () => {
  app = await startApp({ env: { ALERT_EMAIL: operator }, instances: 1 });
  admin = await signUpAdministrator(app);
  ({ token } = admin);
});
afterAll(() => app.close());

const list = async (query: string) => (await app.request('GET', `/v1/alerts?${query}`, { token })).body;
const acknowledge = (id: string) => app.request('POST', `/v1/alerts/${id}/acknowledge`, { token });

describe('an alert is one row until somebody looks at it [practice 10.3] [ASVS 16.3.3]', () => {
  it('an administrator reads what it is about; in the database and the mail no address is in clear', async () => {
    raise(app, { rule: 'not_found_burst', key: '198.51.100.77', isPersonal: true });
    const [row] = await stored(app, 'not_found_burst', 1);
    expect(JSON.stringify(row)).not.toContain('198.51.100.77');
    const [mail] = await mailsOf(app, 'not_found_burst');
    expect(mail?.text).toContain('count: 8');
    expect(mail?.text).toContain(`id: ${String(row?.['id'])}`);
    expect(mail?.text).not.toContain('198.51.100.77');
    const { items } = await list('rule=not_found_burst');
    expect(items).toMatchObject([{ key: '198.51.100.77', count: 1, severity: 'critical', acknowledgedAt: null }]);
    expect(items[0].details).toContainEqual({ name: 'request', value: 'a request' });
  });

  it('the same again: one row, one mail; told again when ten times as many, and after five minutes', async () => {
    for (let time = 0; time < 9; time++) raise(app, { rule: 'probing' });
    expect(await stored(app, 'probing', 9)).toHaveLength(1);
    // The first told of all that waited with it.
    const [{ told_count: told } = {}] = await stored(app, 'probing', 9);
    expect(told).toBe(9);
    expect(await mailsOf(app, 'probing')).toHaveLength(1);
    for (let time = 0; time < 80; time++) raise(app, { rule: 'probing' });
    await stored(app, 'probing', 89);
    expect(await mailsOf(app, 'probing')).toHaveLength(1);
    raise(app, { rule: 'probing' });
    await stored(app, 'probing', 90);
    expect(await mailsOf(app, 'probing')).toHaveLength(2);
    app.clock.advance(5 * 60 + 1);
    raise(app, { rule: 'probing' });
    expect(await stored(app, 'probing', 91)).toHaveLength(1);
    expect(await mailsOf(app, 'probing')).toHaveLength(3);
  });

  it('an attack from fifteen networks: fifteen rows, and ten mails within five minutes', async () => {
    for (let number = 0; number < 15; number++) raise(app, { rule: 'many_networks', key: `198.51.100.${number}` });
    expect(await stored(app, 'many_networks', 15)).toHaveLength(15);
    expect(await mailsOf(app, 'many_networks')).toHaveLength(10);
    app.clock.advance(5 * 60 + 1);
    raise(app, { rule: 'many_networks', key: '198.51.100.14' });
    await stored(app, 'many_networks', 16);
    expect(await mailsOf(app, 'many_networks')).toHaveLength(11);
  });

  it('another key is another row; an info is stored, and mailed to nobody', async () => {
    raise(app, { rule: 'quiet', severity: 'info', key: 'one' });
    raise(app, { rule: 'quiet', severity: 'info', key: 'two' });
    expect(await stored(app, 'quiet', 2)).toHaveLength(2);
    expect(await mailsOf(app, 'quiet')).toEqual([]);
  });

  it('is acknowledged: audited, no longer open, and the next one is a new row and a mail', async () => {
    ({ token } = await signIn(app, admin));
    raise(app, { rule: 'takeover' });
    const [{ id } = {}] = await stored(app, 'takeover', 1);
    const answer = await acknowledge(String(id));
    expect(answer).toMatchObject({ status: 200, body: { id, acknowledgedBy: admin.userId } });
    await app.auditEvent('alert_acknowledged', (row) => row['target_id'] === id && row['actor_id'] === admin.userId);
    expect((await list('state=open&rule=takeover')).items).toEqual([]);
    expect((await list('state=acknowledged&rule=takeover')).items).toHaveLength(1);
    expect((await acknowledge(String(id))).body.acknowledgedAt).toBe(answer.body.acknowledgedAt);
    raise(app, { rule: 'takeover' });
    expect(await stored(app, 'takeover', 2)).toHaveLength(2);
    expect(await mailsOf(app, 'takeover')).toHaveLength(2);
  });

  it('acknowledges what is not there: 404', async () => {
    expect((await acknowledge('01890a5d-ac96-774b-bcce-b302099a8057')).status).toBe(404);
  });

  it('filters and pages; a cursor of one list opens no other [A1-6]', async () => {
    for (let number = 0; number < 3; number++) raise(app, { rule: 'paged', key: `key ${number}`, severity: 'warning' });
    await stored(app, 'paged', 3);
    const first = await list('rule=paged&severity=warning&limit=2');
    expect(first.items.map(({ key }: { key: string }) => key)).toEqual(['key 2', 'key 1']);
    const next = await list(`rule=paged&severity=warning&limit=2&cursor=${first.nextCursor}`);
    expect(next.items.map(({ key }: { key: string }) => key)).toEqual(['key 0']);
    expect((await list('rule=paged&severity=info')).items).toEqual([]);
    const stolen = await app.request('GET', `/v1/alerts?limit=2&cursor=${first.nextCursor}`, { token });
    expect(stolen.status).toBe(400);
  });

  it.each(['state=closed', 'severity=high', 'rule=a%27b', 'rule=paged&rule=probing', 'since=now'])(
    'asks for %s: 400',
    async (query) => {
      expect((await app.request('GET', `/v1/alerts?${query}`, { token })).status).toBe(400);
    },
  );
});

describe('what was raised is not lost [practice 10.3]', () => {
  // With: logging.
  it('the database takes nothing for a while: a line of the log, and stored afterwards', async () => {
    await app.sql('ALTER TABLE alerts RENAME TO away');
    raise(app, { rule: 'late' });
    const said = () => app.logText().includes('an alert could not be stored');
    await expect.poll(said, { timeout: 10_000 }).toBe(true);
    raise(app, { rule: 'late' });
    await app.sql('ALTER TABLE away RENAME TO alerts');
    expect(await stored(app, 'late', 2)).toHaveLength(1);
    expect(await mailsOf(app, 'late')).toHaveLength(1);
  });

  it('the service stops right after: it is stored, and counted in the same row after the start', async () => {
    raise(app, { rule: 'restarted' });
    await app.restart();
    raise(app, { rule: 'restarted' });
    expect(await stored(app, 'restarted', 2)).toHaveLength(1);
    expect(await mailsOf(app, 'restarted')).toHaveLength(1);
  });

  // With: logging.
  it('each is a line of the log: an error for what is critical, else a warning', async () => {
    raise(app, { rule: 'a_critical_one' });
    raise(app, { rule: 'a_lesser_one', severity: 'info' });
    const levelOf = (rule: string) =>
      app.logs().find(({ message }) => String(message).startsWith(`alert ${rule}:`))?.['log.level'];
    expect([levelOf('a_critical_one'), levelOf('a_lesser_one')]).toEqual(['error', 'warn']);
  });
});

describe('alerts are kept for 90 days [practice 10.3] [ASVS 14.2.7]', () => {
  it('a sweep every hour deletes what nothing was added to for so long, and nothing younger', async () => {
    const timers = vi.spyOn(globalThis, 'setInterval');
    await app.restart();
    const hourly = timers.mock.calls.filter(([, every]) => every === 3_600_000).map(([run]) => run as () => void);
    timers.mockRestore();
    for (const rule of ['old', 'old_but_again']) raise(app, { rule });
    await stored(app, 'old', 1);
    await stored(app, 'old_but_again', 1);
    app.clock.advance(89 * 24 * 3600);
    raise(app, { rule: 'old_but_again' });
    await stored(app, 'old_but_again', 2);
    app.clock.advance(25 * 3600);
    for (const run of hourly) run();
    expect(await stored(app, 'old', 0)).toEqual([]);
    expect(await stored(app, 'old_but_again', 2)).toHaveLength(1);
  });
});
