// Threat: forged, changed, recorded or repeated messages at a route that no credential protects (OWASP API8, API10).
// Does: signatures over the bytes that came, before they are parsed; a window of time; each delivery once, with its
// effects or not at all.
// Does not: ask the sender whether it is true, nor put deliveries into an order.
// Remove: npm run remove webhooks, with the last feature that takes webhooks.
import { Global, Logger, Module, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance, preParsingAsyncHookHandler } from 'fastify';
import { Clock } from '../common/clock.js';
import { DeliveriesRepository } from './deliveries.repository.js';
import { OncePerDelivery } from './once-per-delivery.interceptor.js';
import { webhookOf } from './signed-webhook.decorator.js';
import { WebhookVerification } from './verification.js';

const sweepEveryMs = 3_600_000;

/** What every feature may use that takes webhooks: `defineWebhook()` and `@SignedWebhook()`. */
@Global()
@Module({
  providers: [DeliveriesRepository, OncePerDelivery, WebhookVerification],
  exports: [DeliveriesRepository, OncePerDelivery],
})
export class WebhooksModule implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger('Webhooks');
  private timer: NodeJS.Timeout | undefined;

  constructor(
    host: HttpAdapterHost,
    verification: WebhookVerification,
    private readonly deliveries: DeliveriesRepository,
    private readonly clock: Clock,
  ) {
    // Commands run without an HTTP server.
    const instance: FastifyInstance | undefined = host.httpAdapter?.getInstance?.();
    instance?.addHook?.('onRoute', (route) => {
      const webhook = webhookOf(route.config);
      if (webhook === undefined) return;
      const verify: preParsingAsyncHookHandler = async (request, _reply, payload) =>
        verification.verify(webhook, request, payload);
      route.preParsing = verify;
    });
  }

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => void this.sweep(), sweepEveryMs).unref();
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  private async sweep(): Promise<void> {
    try {
      await this.deliveries.deleteExpired(this.clock.now());
    } catch (error) {
      this.logger.warn('old deliveries could not be deleted; it is tried again', error);
    }
  }
}
