import { applyDecorators, HttpCode, UseInterceptors } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiHeader, ApiNoContentResponse } from '@nestjs/swagger';
import { Signed } from '../common/access/access.decorators.js';
import { RateLimit } from '../common/http/rate-limit.js';
import { Refuses } from '../common/http/refusals.decorator.js';
import { OncePerDelivery } from './once-per-delivery.interceptor.js';
import { webhookRefused, type Webhook } from './webhook.js';

/**
 * The handler takes webhooks of that sender and of nobody else: signed, within five minutes where the sender signs the
 * time, each once. It runs in the transaction that remembers the delivery, answers nothing, and gets of the body what
 * its DTO declares; other fields are dropped, because senders add some without asking.
 */
export function SignedWebhook(webhook: Webhook): MethodDecorator {
  const { name, scheme, limits } = webhook;
  const [field, ...others] = scheme.fields;
  return applyDecorators(
    Signed({ sender: name, field, description: scheme.description }),
    RouteConfig({ webhook }),
    RateLimit(limits),
    UseInterceptors(OncePerDelivery),
    HttpCode(204),
    ApiNoContentResponse({ description: 'It was handled, now or before.' }),
    Refuses('not-found', webhookRefused),
    ...others.map((other) => ApiHeader({ name: other, required: true, schema: { type: 'string' } })),
  );
}

/** What the decorator has left in the configuration of a Fastify route. */
export const webhookOf = (config: unknown): Webhook | undefined =>
  (config as { readonly webhook?: Webhook } | undefined)?.webhook;
