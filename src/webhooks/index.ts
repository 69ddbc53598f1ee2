export { hmacOfBody, standardWebhooks, type Claimed, type WebhookScheme } from './schemes.js';
export { SignedWebhook } from './signed-webhook.decorator.js';
export { defineWebhook, type Webhook } from './webhook.js';
export { WebhooksModule } from './webhooks.module.js';
