import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { backOffMs } from '../../src/mail/attempts.js';
import { Delivery } from '../../src/mail/delivery.js';
import { Mailer } from '../../src/mail/index.js';
import { Database } from '../../src/database/index.js';
import { startApp, type TestApp } from '../support/app.js';
import { parseMail } from '../support/mail.js';
import { Authority, serverNames } from '../support/tls-servers.js';
import { MailServer } from './mail-server.js';

const hour = 60 * 60;
const soon = { timeout: 15_000, interval: 20 };

describe('mail leaves by a queue in the database [A10-4] [ASVS 16.5.2]', () => {
  let authority: Authority;
  let server: MailServer;
  let app: TestApp;
  let env: Record<string, string>;
  let count = 0;

  beforeAll(async () => {
    authority = await Authority.create();
    server = await MailServer.start({ certificate: await authority.issue('mail', serverNames), secure: true });
    env = { SMTP_URL: server.url(), SMTP_CA_FILE: authority.caFile };
    app = await startApp({ env });
  });
  beforeEach(() => {
    server.delivered.length = 0;
    server.verdict = () => undefined;
  });
  afterEach(() => app.sql('DELETE FROM outgoing_mails'));
  afterAll(async () => {
    await app.close();
    await server.stop();
    authority.remove();
  });

  const newAddress = () => `mail-canary-${++count}@example.org`;
  const register = async (email = newAddress(), instance = 0) => {
    const { status, body } = await app.on(instance).request('POST', '/v1/auth/register', { body: { email } });
    expect([status, body]).toEqual([202, { message: expect.any(String) }]);
    return email;
  };
  /** Time goes by, and every instance looks at once, which it would do within seconds. */
  const advance = (seconds: number) => {
    app.clock.advance(seconds);
    for (const { service } of app.instances) service.app.get(Delivery, { strict: false }).wake();
  };
  const rows = () =>
    app.sql<{ id: string; attempts: number; due_at: Date }>('SELECT id, attempts, due_at FROM outgoing_mails');
  const arrived = (email: string) =>
    vi.waitFor(() => expect(server.delivered.map(({ recipients }) => recipients)).toEqual([[email]]), soon);
  /**
   * So many attempts were made, and the last one is over: a claimed mail is due in two minutes, a failed one sooner.
   */
  const failed = (attempts: number) =>
    vi.waitFor(async () => {
      const [row] = await rows();
      expect(row?.attempts).toBe(attempts);
      expect(row?.due_at.getTime()).toBeLessThan(app.clock.now().getTime() + 60_000);
    }, soon);
  const givenUp = () =>
    app.auditEvent('sys_error', ({ details }) => (details as { step?: string }).step === 'mail-given-up');

  it('a mail of every sign-up arrives once, in text and HTML, whichever instance took it', async () => {
    const addresses = await Promise.all(Array.from({ length: 12 }, (_, index) => register(newAddress(), index)));
    await vi.waitFor(() => expect(server.delivered.length).toBeGreaterThanOrEqual(12), soon);
    await app.mailQuiet();
    expect(server.delivered.flatMap(({ recipients }) => recipients).toSorted()).toEqual(addresses.toSorted());
    expect(new Set(server.delivered.map(({ head }) => /^Message-ID: <(.+)>$/im.exec(head)?.[1])).size).toBe(12);
    for (const { html, text, overTls } of server.delivered) {
      const token = /^[\w.-]{40,}$/m.exec(text)?.[0];
      expect([overTls, html.includes(`<pre>${token}</pre>`)]).toEqual([true, true]);
    }
  });

  it('what waits is sealed: neither the address nor the token can be read in the table [practice 7.3]', async () => {
    server.verdict = () => '451 later';
    const email = await register();
    await failed(1);
    const [row] = await app.sql('SELECT recipient, content FROM outgoing_mails');
    expect(Object.values(row ?? {})).toEqual([expect.stringMatching(/^enc:v1:/), expect.stringMatching(/^enc:v1:/)]);
    expect(JSON.stringify(row)).not.toContain(email);
  });

  it('the mail server is dead at sign-up: the same answer, and the mail arrives when it is back', async () => {
    await server.stop();
    const email = await register();
    await failed(1);
    await server.listen();
    advance(11);
    await arrived(email);
    await app.mailQuiet();
  });

  it('answers 4xx and then 2xx: tried again after a while, not at once, and delivered once', async () => {
    const verdicts: (string | undefined)[] = ['451 try later', '450 and later', undefined];
    server.verdict = () => verdicts.shift();
    const email = await register();
    await failed(1);
    expect((await rows())[0]?.due_at.getTime()).toBeGreaterThan(app.clock.now().getTime() + 3_000);
    advance(11);
    await failed(2);
    advance(21);
    await arrived(email);
  });

  it('answers 5xx for the mail: given up, with an event that names nobody [ASVS 16.5.2]', async () => {
    server.verdict = () => '550 no such mailbox';
    const email = await register();
    const event = await givenUp();
    expect(event).toMatchObject({
      outcome: 'failure',
      target_type: 'outgoing-mail',
      details: { attempts: 1, code: expect.stringContaining('550') },
    });
    expect(await rows()).toEqual([]);
    // With: logging.
    expect(app.logs()).toContainEqual(
      expect.objectContaining({ 'log.level': 'error', 'message': expect.stringContaining('was given up') }),
    );
    expect(app.logText() + JSON.stringify(event)).not.toContain(email);
  });

  it('repeats the mail in its refusal: no token in log or audit trail [A10-4] [ASVS 16.2.5]', async () => {
    let token = '';
    server.verdict = (message) => {
      token = /^[\w.-]{40,}$/m.exec(parseMail(message).text)?.[0] ?? '';
      return `451 refused: ${parseMail(message).text.replaceAll(/\s+/g, ' ')}`;
    };
    await register();
    await failed(1);
    expect(token).toMatch(/.{40}/);
    expect(app.logText()).not.toContain(token);
    expect(JSON.stringify(await app.sql('SELECT * FROM audit_events'))).not.toContain(token);
  });

  it('never answers: sign-up and every other request go on', async () => {
    const gate = Promise.withResolvers<undefined>();
    server.verdict = () => gate.promise;
    for (let index = 0; index < 8; index++) await register(newAddress(), index);
    expect((await app.request('GET', '/.well-known/jwks.json')).status).toBe(200);
    expect(server.delivered).toEqual([]);
    gate.resolve(undefined);
    await vi.waitFor(() => expect(server.delivered).toHaveLength(8), soon);
  });

  it('is dead for a day: tried all the time, then given up, never silently', async () => {
    await server.stop();
    await register();
    await failed(1);
    advance(23 * hour);
    await failed(2);
    advance(2 * hour);
    expect(
      await app.auditEvent('sys_error', ({ details }) => (details as { attempts?: number }).attempts === 3),
    ).toMatchObject({ outcome: 'failure' });
    expect(await rows()).toEqual([]);
    await server.listen();
  });

  it('the business change is rolled back: its mail was never there', async () => {
    const { app: nest } = app.on(0).service;
    const [mailer, database] = [nest.get(Mailer, { strict: false }), nest.get(Database, { strict: false })];
    await expect(
      database.transaction(async () => {
        await mailer.send(newAddress(), () => ({ subject: 'Never', body: ['x'] }));
        throw new Error('rolled back');
      }),
    ).rejects.toThrow('rolled back');
    expect(await rows()).toEqual([]);
  });

  it.each([
    'eve@example.org',
    'eve%0d%0abcc:victim@example.org',
    'eve=0d=0abcc@example.org',
    'eve@example.org\r\nRCPT TO:<victim@example.org>',
    '"eve\\@example.org,victim"@example.org',
    'eve@example.org,victim@example.org',
  ])(
    'signs up with the address %j: no mail for anybody else, and no header of theirs [practice 3.4] [ASVS 1.3.11]',
    async (email) => {
      const { status } = await app.request('POST', '/v1/auth/register', { body: { email } });
      expect([202, 422]).toContain(status);
      await app.mailQuiet();
      for (const { recipients, head, text } of server.delivered) {
        expect(recipients).toEqual([email]);
        expect([/^bcc/im.test(head), text.includes('victim')]).toEqual([false, false]);
      }
      if (status === 422) expect(server.delivered).toEqual([]);
    },
  );

  it('an address that would be two recipients: nothing is queued, nobody is named [ASVS 1.3.11]', async () => {
    const mailer = app.on(0).service.app.get(Mailer, { strict: false });
    for (const to of [
      'a@b.example\r\nBcc: rolled-canary@example.org',
      '"rolled-canary,x"@example.org',
      'a@b.example,rolled-canary@example.org',
    ]) {
      await mailer.send(to, () => ({ subject: 'x', body: [] }));
    }
    expect(await rows()).toEqual([]);
    expect(app.logText()).not.toContain('rolled-canary');
  });

  it('a spoiled row does not hold up the others, and is given up in the end', async () => {
    server.verdict = () => '451 later';
    await register();
    await failed(1);
    await app.sql('UPDATE outgoing_mails SET content = recipient, due_at = now()');
    server.verdict = () => undefined;
    await arrived(await register());
    advance(25 * hour);
    await app.mailQuiet();
    await app.auditEvent('crypt_decrypt_fail', ({ target_type }) => target_type === 'OutgoingMail');
  });

  it('stops while the server hangs: within seconds, and the mail leaves after the next start', async () => {
    const gate = Promise.withResolvers<undefined>();
    const { attempts } = server;
    server.verdict = () => gate.promise;
    const email = await register();
    await vi.waitFor(() => expect(server.attempts).toBeGreaterThan(attempts), soon);
    server.verdict = () => undefined;
    const before = app.logText().length;
    await app.restart();
    await arrived(email);
    gate.resolve(undefined);
    // It went back to the queue; it did not fail, which would have cost it a delay.
    expect(app.logText().slice(before)).not.toContain('a mail did not leave');
  });

  it('waits longer and longer between attempts, an hour at most, and not all alike', () => {
    const waits = Array.from({ length: 20 }, (_, index) => backOffMs(index + 1));
    expect(Math.max(...waits)).toBeLessThanOrEqual(hour * 1000);
    for (const [index, wait] of waits.slice(0, 9).entries()) expect(wait).toBeGreaterThanOrEqual(5_000 * 2 ** index);
    expect(new Set(waits).size).toBeGreaterThan(12);
  });
});
