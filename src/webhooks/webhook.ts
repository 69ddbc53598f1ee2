import { Declarations } from '../common/declarations.js';
import { defineAction } from '../common/events/security-events.js';
import { defineProblemType } from '../common/http/problem.js';
import { defineRateLimits, minute, type RateLimits } from '../common/http/rate-limit.js';
import type { WebhookScheme } from './schemes.js';

/** A sender outside whose webhooks the service takes. */
export interface Webhook {
  /** As in the variable of its secret: `payments` for `WEBHOOK_PAYMENTS_SECRET`. */
  readonly name: string;
  readonly scheme: WebhookScheme;
  readonly limits: RateLimits;
}

const declared = new Declarations<Webhook>('webhook');

export const webhooks = (): readonly Webhook[] => declared.list();

/**
 * Declares a sender; `@SignedWebhook` takes it.
 * @param perMinute how many of its webhooks are taken from one network.
 * @throws Error for a name that is there already, or that no variable can have.
 */
export function defineWebhook(name: string, scheme: WebhookScheme, { perMinute = 600 } = {}): Webhook {
  if (!/^[a-z][a-z0-9]{0,29}$/.test(name))
    throw new Error(`the webhook ${name}: up to 30 small letters and digits, a letter first`);
  const field = scheme.fields.find((one) => one !== one.toLowerCase());
  if (field !== undefined) throw new Error(`the webhook ${name}: write the header field ${field} in small letters`);
  const limit = { name: `webhook-${name}`, requests: perMinute, windowSeconds: minute, per: 'network' } as const;
  return declared.add({ name, scheme, limits: defineRateLimits(`webhook-${name}`, [limit]) });
}

export const webhookRejected = defineAction('webhook_rejected');

/** One answer for every reason: whoever tries signatures learns nothing. The event has the reason. */
export const webhookRefused = defineProblemType('webhook-refused', {
  status: 403,
  title: 'The webhook is not signed as it has to be',
  cause:
    'The signature is missing or wrong, a field is missing or there twice, or it was signed more than ' +
    'five minutes ago.',
  remedy: 'Sign the bytes that are sent with the secret of this address, at each attempt anew, and compare the clocks.',
});
