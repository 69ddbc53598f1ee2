import type { MailContent } from '../../mail/index.js';
import type { Alert } from '../../common/events/alerts.js';
import { webhookMac } from '../../common/standard-webhooks.js';
import type { Noted } from './alerts.repository.js';

/** What leaves: no key that tells where somebody is; administrators read that by the API. */
const outwards = ({ rule, severity, key, isPersonal = false, summary, runbook, details, at }: Alert, noted: Noted) => ({
  id: noted.id,
  rule,
  severity,
  ...(isPersonal ? {} : { key }),
  summary,
  runbook,
  details,
  count: noted.count,
  firstAt: noted.firstAt.toISOString(),
  lastAt: at.toISOString(),
});

/** The body of the webhook (Standard Webhooks: type, timestamp, data). */
export const webhookBody = (alert: Alert, noted: Noted): string =>
  JSON.stringify({ type: 'alert.raised', timestamp: alert.at.toISOString(), data: outwards(alert, noted) });

/**
 * The headers of Standard Webhooks: an HMAC-SHA-256 over id, time and body, by each secret. The time is that of the
 * attempt, so that a receiver can refuse what was recorded and sent again.
 */
export function webhookHeaders(keys: readonly Buffer[], { id, body }: { id: string; body: string }, at: Date) {
  const timestamp = String(Math.floor(at.getTime() / 1000));
  const signatureBy = (key: Buffer) => `v1,${webhookMac(key, { id, timestamp, body }).toString('base64')}`;
  return {
    'content-type': 'application/json',
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': keys.map(signatureBy).join(' '),
  };
}

export function mailOf(alert: Alert, noted: Noted): MailContent {
  const { details, summary, rule, severity, ...facts } = outwards(alert, noted);
  const lines = Object.entries({ rule, severity, ...facts, ...details }).map(([name, value]) => `${name}: ${value}`);
  return {
    subject: `Alert: ${rule} (${severity})`,
    body: [
      summary,
      { code: lines.join('\n') },
      'Until it is acknowledged, more of it is told when it comes again after five minutes, or ten times as often; ' +
        'more than ten of one rule within five minutes are in the list and the log only.',
    ],
  };
}
