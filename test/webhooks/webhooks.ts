import { createHash, createHmac, randomUUID } from 'node:crypto';
import { startApp, type StartOptions, type TestApp } from '../support/app.js';
import type { Answer } from '../support/http.js';
import { SampleWebhooksModule } from './sample-webhooks.js';

/** Of each sender; payments is changing its secret. */
export const secrets = {
  payments: `whsec_${'A'.repeat(43)}=`,
  next: `whsec_${'n'.repeat(43)}=`.replace('n=', 'k='),
  ledger: `whsec_${'B'.repeat(42)}A=`,
  forge: 'f0rge'.repeat(8),
};

export const webhookEnv = {
  WEBHOOK_PAYMENTS_SECRET: `${secrets.payments},${secrets.next}`,
  WEBHOOK_LEDGER_SECRET: secrets.ledger,
  WEBHOOK_FEW_SECRET: secrets.ledger,
  WEBHOOK_FORGE_SECRET: secrets.forge,
};

export const startWebhooks = (options: StartOptions = {}): Promise<TestApp> =>
  startApp({
    modules: [SampleWebhooksModule],
    ...options,
    env: { ...webhookEnv, ...options.env },
  });

export interface Sent {
  /** The payment that it is about. */
  readonly payment: string;
  readonly raw: string;
  readonly headers: Readonly<Record<string, string>>;
}

const macOf = (secret: string, content: string): string =>
  createHmac('sha256', Buffer.from(secret.slice('whsec_'.length), 'base64'))
    .update(content)
    .digest('base64');

/** Signs as Standard Webhooks says, by code of its own. */
export const signatureOf = (secret: string, id: string, timestamp: string | number, raw: string): string =>
  `v1,${macOf(secret, `${id}.${timestamp}.${raw}`)}`;

interface Changes {
  readonly raw?: string;
  readonly secret?: string;
  readonly at?: number | string;
  readonly id?: string;
  readonly fields?: object;
}

/** An honest webhook about a payment of its own. */
export function delivery(app: TestApp, changes: Changes = {}): Sent {
  const payment = `pay_${randomUUID()}`;
  const { id = `msg_${randomUUID()}`, at = Math.floor(app.clock.now().getTime() / 1000) } = changes;
  const raw = changes.raw ?? JSON.stringify({ type: 'paid', data: { id: payment }, ...changes.fields });
  const signature = signatureOf(changes.secret ?? secrets.payments, id, at, raw);
  return {
    payment,
    raw,
    headers: { 'webhook-id': id, 'webhook-timestamp': String(at), 'webhook-signature': signature },
  };
}

/** The same by the scheme of the other sender, which signs nothing but the bytes. */
export function push(fields: object = {}): Sent {
  const payment = `pay_${randomUUID()}`;
  const raw = JSON.stringify({ type: 'pushed', data: { id: payment }, ...fields });
  const mac = createHmac('sha256', secrets.forge).update(raw).digest('hex');
  return { payment, raw, headers: { 'x-hub-signature-256': `sha256=${mac}`, 'x-github-delivery': randomUUID() } };
}

export const post = (app: TestApp, { raw, headers }: Pick<Sent, 'raw' | 'headers'>, to = 'payments', on = 0) =>
  app.on(on).request('POST', `/v1/webhooks/${to}`, { raw, headers });

/** What the payment has caused, and what is remembered of its delivery. */
export async function traces(
  app: TestApp,
  { payment, raw, headers }: Sent,
): Promise<[effects: number, claims: number]> {
  const effects = await app.sql(`SELECT FROM audit_events WHERE target_type = 'payment' AND target_id = $1`, [payment]);
  const ids = [headers['webhook-id'], createHash('sha256').update(raw).digest('hex')];
  const claims = await app.sql('SELECT FROM webhook_deliveries WHERE delivery_id = ANY ($1)', [ids]);
  return [effects.length, claims.length];
}

export const refused = { status: 403, body: { type: '/problems/webhook-refused' } };

/** The event of that refusal, without a word of what came. */
export async function reasonOf(app: TestApp, answer: Answer): Promise<unknown> {
  const requestId = answer.headers['x-request-id'];
  const event = await app.auditEvent('webhook_rejected', (row) => row['request_id'] === requestId);
  return event['details'];
}
