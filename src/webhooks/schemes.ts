import { createHash, createHmac } from 'node:crypto';
import { webhookKey, webhookMac } from '../common/standard-webhooks.js';

/** What a sender claims, read and not verified yet. */
export interface Claimed {
  /** The same at each attempt to deliver it, and covered by the signature. */
  readonly id: string;
  /** When it was signed. Left out where the sender signs no time. */
  readonly at?: Date;
  /** One of them has to be right. */
  readonly signatures: readonly Buffer[];
  /** The right one under this key. */
  mac(key: Buffer): Buffer;
}

/** How a sender signs. */
export interface WebhookScheme {
  /** The header fields that it needs, each once: that of the signature first. */
  readonly fields: readonly [signature: string, ...others: string[]];
  readonly description: string;
  /** How long ids are remembered: longer than the sender goes on trying, and than a recording counts. */
  readonly rememberedDays: number;
  /** @throws Error that says the fix. */
  keyOf(secret: string): Buffer;
  /** @param values of the fields, in their order. Undefined when one of them has not its form. */
  read(values: readonly string[], bytes: Buffer): Claimed | undefined;
}

/** Each costs an HMAC under each key: a sender who changes secrets needs two. */
const maxSignatures = 10;

/**
 * https://www.standardwebhooks.com: an HMAC-SHA-256 over id, time and bytes. The id has no brace, so that no two of
 * (id, time, JSON object) have one signature.
 */
export const standardWebhooks: WebhookScheme = {
  fields: ['webhook-signature', 'webhook-id', 'webhook-timestamp'],
  description: 'Standard Webhooks: `v1,` and the HMAC-SHA-256 of id, time and body, in base64.',
  rememberedDays: 30,
  keyOf: webhookKey,
  read([list = '', id = '', timestamp = ''], bytes) {
    const items = list.split(' ');
    if (items.length > maxSignatures || !/^[\w.:-]{1,128}$/.test(id) || !/^\d{1,11}$/.test(timestamp)) return undefined;
    return {
      id,
      at: new Date(Number(timestamp) * 1000),
      // Of other versions nothing is known: they count for nothing.
      signatures: items.flatMap((item) => (item.startsWith('v1,') ? bytesOf(item.slice(3), 'base64') : [])),
      mac: (key) => webhookMac(key, { id, timestamp, body: bytes }),
    };
  },
};

/**
 * HMAC-SHA-256 over the bytes alone, in hexadecimal, as GitHub and many others send it. Neither time nor id are signed:
 * who has recorded a delivery could send it at any time, under any id. So the bytes themselves are the id.
 */
export const hmacOfBody = ({ field, prefix = '' }: { field: string; prefix?: string }): WebhookScheme => ({
  fields: [field],
  description: `\`${prefix}\` and the HMAC-SHA-256 of the body, in hexadecimal.`,
  rememberedDays: 400,
  keyOf: printableKey,
  read([signature = ''], bytes) {
    const signatures = signature.startsWith(prefix) ? bytesOf(signature.slice(prefix.length), 'hex') : [];
    return {
      id: createHash('sha256').update(bytes).digest('hex'),
      signatures,
      mac: (key) => createHmac('sha256', key).update(bytes).digest(),
    };
  },
});

/** One signature has one spelling: no other alphabet, padding or case, and nothing behind it. */
function bytesOf(text: string, encoding: 'base64' | 'hex'): Buffer[] {
  const bytes = Buffer.from(text, encoding);
  return bytes.length === 32 && bytes.toString(encoding) === text ? [bytes] : [];
}

function printableKey(secret: string): Buffer {
  if (/^[\x21-\x7e]{32,256}$/.test(secret)) return Buffer.from(secret);
  throw new Error('set 32 to 256 printable characters without spaces: openssl rand -hex 32');
}
