import { expect, vi } from 'vitest';
import { Alerts, type Alert } from '../../../src/common/events/alerts.js';
import { TlsServer } from '../../egress/servers.js';
import { startApp, type StartOptions, type TestApp } from '../../support/app.js';
import { Authority } from '../../support/tls-servers.js';

export const operator = 'operator@example.net';
export const secrets = [`whsec_${'A'.repeat(43)}=`, `whsec_${'b3'.repeat(16)}`] as const;

/** An alert as detection raises one. */
export const alertOf = (app: TestApp, changes: Partial<Alert> = {}): Alert => ({
  rule: 'account_failures',
  severity: 'critical',
  key: '01890a5d-ac96-774b-bcce-b302099a8057',
  summary: 'Somebody tries passwords of one account.',
  details: { count: 8, request: 'a request' },
  runbook: 'password-guessing',
  at: app.clock.now(),
  ...changes,
});

export function raise(app: TestApp, changes: Partial<Alert> = {}, instance = 0): void {
  app.on(instance).service.app.get(Alerts, { strict: false }).raise(alertOf(app, changes));
}

/** Rows are stored a moment later. */
export const stored = async (app: TestApp, rule: string, count: number): Promise<Record<string, unknown>[]> => {
  const find = () => app.sql('SELECT * FROM alerts WHERE rule = $1 ORDER BY id', [rule]);
  const total = async () => (await find()).reduce((sum, row) => sum + Number(row['count']), 0);
  await vi.waitFor(async () => expect(await total()).toBe(count), 10_000);
  return find();
};

export const mailsOf = async (app: TestApp, rule: string) => {
  await app.mailQuiet();
  return app.outbox().filter(({ to, subject }) => to === operator && subject.startsWith(`Alert: ${rule} `));
};

/** The service, and a receiver of its webhooks. */
export class Receiving {
  private constructor(
    readonly app: TestApp,
    readonly receiver: TlsServer,
    private readonly authority: Authority,
  ) {}

  static async start(options: StartOptions = {}): Promise<Receiving> {
    const authority = await Authority.create();
    const receiver = await TlsServer.start(authority);
    const host = `localhost:${receiver.port}`;
    const env = {
      ALERT_EMAIL: operator,
      ALERT_WEBHOOK_URL: `https://${host}/hooks/alerts`,
      ALERT_WEBHOOK_SECRET: secrets.join(','),
      EGRESS_ALLOW_PRIVATE_HOSTS: host,
      EGRESS_CA_FILE: authority.caFile,
    };
    return new Receiving(await startApp({ ...options, env: { ...env, ...options.env } }), receiver, authority);
  }

  /** What came, once there is so much of that rule. */
  async arrived(rule: string, count: number) {
    const found = () =>
      this.receiver.requests
        .filter(({ body }) => body.includes(`"rule":"${rule}"`))
        .map(({ headers, body, url }) => ({ id: headers['webhook-id'], headers, url, body }));
    await vi.waitFor(() => expect(found().length).toBeGreaterThanOrEqual(count), 15_000);
    return found();
  }

  /** Until nothing waits. */
  async delivered(): Promise<void> {
    const isEmpty = async () => expect(await this.app.sql('SELECT 1 FROM alert_webhooks')).toEqual([]);
    await vi.waitFor(isEmpty, { timeout: 15_000, interval: 100 });
  }

  /** Until an attempt has failed, and the next one waits for its time. */
  async failed(attempts: number): Promise<void> {
    const lines = () => this.app.logs().filter(({ message }) => String(message).startsWith('a webhook did not arrive'));
    await vi.waitFor(() => expect(lines().length).toBeGreaterThanOrEqual(attempts), 15_000);
  }

  async close(): Promise<void> {
    await this.app.close();
    await this.receiver.close();
    this.authority.remove();
  }
}
