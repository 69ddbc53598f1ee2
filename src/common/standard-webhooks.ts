import { createHmac } from 'node:crypto';

// The format of https://www.standardwebhooks.com, for what the service sends and for what it receives.

/**
 * The key of a secret: `whsec_` and 24 to 64 bytes in base64, in the one spelling that they have.
 * @throws Error that says the fix.
 * @public: every user of it can be removed.
 */
export function webhookKey(text: string): Buffer {
  const [, encoded = ''] = /^whsec_([A-Za-z0-9+/]{32,88}={0,2})$/.exec(text) ?? [];
  const key = Buffer.from(encoded, 'base64');
  if (key.length >= 24 && key.length <= 64 && key.toString('base64') === encoded) return key;
  throw new Error('set whsec_ and 24 to 64 random bytes in base64: echo "whsec_$(openssl rand -base64 32)"');
}

export interface WebhookMessage {
  readonly id: string;
  /** Seconds since 1970, as they are sent. */
  readonly timestamp: string;
  readonly body: string | Buffer;
}

/**
 * HMAC-SHA-256 over id, time and body: 32 bytes.
 * @public: every user of it can be removed.
 */
export const webhookMac = (key: Buffer, { id, timestamp, body }: WebhookMessage): Buffer =>
  createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest();
