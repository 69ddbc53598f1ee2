import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startApp } from '../../support/app.js';
import { webhookHeaders } from '../../../src/security/alerting/message.js';
import { raise, Receiving, secrets, stored } from './alerting.js';

let receiving: Receiving;
beforeAll(async () => {
  receiving = await Receiving.start({ instances: 1 });
});
afterAll(() => receiving.close());
beforeEach(() => {
  receiving.receiver.answer = (response) => response.end('ok');
});

/** As a receiver does, with one of its secrets. */
function signatureOf(secret: string, { id, headers, body }: Awaited<ReturnType<Receiving['arrived']>>[number]): string {
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
  return `v1,${createHmac('sha256', key).update([id, headers['webhook-timestamp'], body].join('.')).digest('base64')}`;
}

describe('a webhook proves who sent it [practice 10.3]', () => {
  it('signs as the example of Standard Webhooks', () => {
    const key = Buffer.from('plJ3nmyCDGBKInavdOK15jsl', 'base64');
    const message = { id: 'msg_loFOjxBNrRLzqYUf', body: '{"event_type":"ping","data":{"success":true}}' };
    expect(webhookHeaders([key], message, new Date(1_731_705_121_000))['webhook-signature']).toBe(
      'v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=',
    );
  });

  it('arrives within five seconds, signed with both secrets, and without the address that it is about', async () => {
    const at = receiving.app.clock.now();
    raise(receiving.app, { rule: 'signed', key: '198.51.100.77', isPersonal: true, at });
    const [webhook] = await receiving.arrived('signed', 1);
    expect(receiving.app.clock.now().getTime() - at.getTime()).toBeLessThan(5_000);
    expect(webhook?.url).toBe('/hooks/alerts');
    expect(webhook?.headers['webhook-signature']).toBe(
      secrets.map((one) => signatureOf(one, webhook as never)).join(' '),
    );
    expect(JSON.parse(webhook?.body ?? '')).toMatchObject({
      type: 'alert.raised',
      timestamp: at.toISOString(),
      data: { rule: 'signed', severity: 'critical', count: 1, runbook: 'password-guessing' },
    });
    expect(webhook?.body).not.toContain('198.51.100.77');
    await receiving.delivered();
  });

  it('the same again: none; ten times as many: another one under another id, with the count', async () => {
    raise(receiving.app, { rule: 'grows' });
    await receiving.arrived('grows', 1);
    for (let time = 0; time < 9; time++) raise(receiving.app, { rule: 'grows' });
    const [first, second] = await receiving.arrived('grows', 2);
    expect(JSON.parse(second?.body ?? '')).toMatchObject({ data: { count: 10 } });
    expect(second?.id).not.toBe(first?.id);
  });
});

describe('a receiver that misbehaves gets it later, once, and learns nothing [practice 10.3] [A7-5]', () => {
  // With: logging.
  it.each([
    ['redirects', (response) => response.writeHead(302, { location: '/elsewhere' }).end()],
    ['answers 500 with garbage', (response) => response.writeHead(500).end('\0'.repeat(1000))],
    ['breaks the connection off', (response) => response.socket?.destroy()],
    ['answers with more than is read', (response) => response.end('x'.repeat(200_000))],
  ] as [string, Receiving['receiver']['answer']][])('%s: tried again under the same id', async (name, answer) => {
    const rule = `receiver_${name.replaceAll(/\W/g, '_')}`;
    receiving.receiver.answer = answer;
    const before = receiving.app.logs().filter(({ message }) => String(message).includes('did not arrive')).length;
    raise(receiving.app, { rule });
    await receiving.arrived(rule, 1);
    await receiving.failed(before + 1);
    receiving.receiver.answer = (response) => response.end('ok');
    receiving.app.clock.advance(10);
    const webhooks = await receiving.arrived(rule, 2);
    await receiving.delivered();
    expect(webhooks).toHaveLength(2);
    expect(new Set(webhooks.map(({ id }) => id)).size).toBe(1);
    expect(receiving.receiver.requests.some(({ url }) => url === '/elsewhere')).toBe(false);
  });

  it('is away while the service restarts: what waits arrives afterwards, under its id', async () => {
    receiving.receiver.answer = (response) => response.socket?.destroy();
    raise(receiving.app, { rule: 'restarted' });
    const [first] = await receiving.arrived('restarted', 1);
    await receiving.app.restart();
    receiving.receiver.answer = (response) => response.end('ok');
    receiving.app.clock.advance(10);
    const webhooks = await receiving.arrived('restarted', 2);
    expect(webhooks.at(-1)?.id).toBe(first?.id);
    await receiving.delivered();
  });

  it('is away for a day: given up with an audit event; the alert stays', async () => {
    receiving.receiver.answer = (response) => response.socket?.destroy();
    raise(receiving.app, { rule: 'given_up' });
    await receiving.arrived('given_up', 1);
    receiving.app.clock.advance(25 * 3600);
    await receiving.app.auditEvent(
      'sys_error',
      ({ details }) => (details as { step?: string }).step === 'webhook-given-up',
    );
    await receiving.delivered();
    expect(await stored(receiving.app, 'given_up', 1)).toHaveLength(1);
  });
});

describe('where webhooks go is decided by the operator, once [ASVS 13.2.4]', () => {
  const start = (env: Record<string, string>) =>
    startApp({ env: { ALERT_WEBHOOK_SECRET: secrets[0], ...env } }).then((app) => app.close());

  it.each(['127.0.0.1', '169.254.169.254', '[::1]', '10.0.0.7', 'localhost', 'alerts.example.org:8443'])(
    'points at %s: the service does not start',
    async (host) => {
      const fault = /ALERT_WEBHOOK_URL: its host is private or its port is not 443/;
      await expect(start({ ALERT_WEBHOOK_URL: `https://${host}/hook` })).rejects.toThrow(fault);
    },
  );

  it('the metadata service is no receiver, whoever lists it', async () => {
    const env = {
      ALERT_WEBHOOK_URL: 'https://169.254.169.254/hook',
      EGRESS_ALLOW_PRIVATE_HOSTS: '169.254.169.254:443',
    };
    await expect(start(env)).rejects.toThrow('ALERT_WEBHOOK_URL');
  });

  it.each([
    [{ ALERT_WEBHOOK_URL: 'http://alerts.example.org/hook' }, 'ALERT_WEBHOOK_URL: set a URL that begins with https://'],
    [{ ALERT_WEBHOOK_URL: 'https://user:pass@alerts.example.org/' }, 'ALERT_WEBHOOK_URL: set a URL'],
    [{ ALERT_WEBHOOK_SECRET: 'whsec_short' }, 'ALERT_WEBHOOK_SECRET: set whsec_ and 24 to 64 random bytes'],
    [
      { ALERT_WEBHOOK_SECRET: [secrets[0], secrets[0], secrets[0]].join(',') },
      'ALERT_WEBHOOK_SECRET: set one secret, or two',
    ],
    [{ ALERT_WEBHOOK_SECRET: '', ALERT_WEBHOOK_URL: 'https://alerts.example.org/' }, 'ALERT_WEBHOOK_SECRET: set'],
    [{}, 'ALERT_WEBHOOK_URL: set it too'],
  ])('%o: the service does not start', async (env, fault) => {
    await expect(start(env as Record<string, string>)).rejects.toThrow(fault);
  });
});
