import { Body, Controller, Module, Post } from '@nestjs/common';
import { ApiNoContentResponse, ApiTags } from '@nestjs/swagger';
import { Signed } from '../../src/common/access/access.decorators.js';
import { SecurityEvents } from '../../src/common/events/security-events.js';
import { NestedField, OptionalField, TextField, TokenField } from '../../src/common/http/fields.js';
import { defineWebhook, hmacOfBody, SignedWebhook, standardWebhooks } from '../../src/webhooks/index.js';

export const payments = defineWebhook('payments', standardWebhooks);
export const forge = defineWebhook('forge', hmacOfBody({ field: 'x-hub-signature-256', prefix: 'sha256=' }));
const ledger = defineWebhook('ledger', standardWebhooks);
const unset = defineWebhook('unset', standardWebhooks);
const few = defineWebhook('few', standardWebhooks, { perMinute: 2 });

class PaymentData {
  @TokenField({ max: 64 })
  id: string;

  @OptionalField()
  @TextField({ min: 0, max: 100 })
  note?: string;
}

class PaymentEvent {
  @TokenField({ max: 64 })
  type: string;

  @NestedField(() => PaymentData)
  data: PaymentData;
}

/** Payments whose handling fails, once. */
export const failing = new Set<string>();
/** What handlers were given, newest last. */
export const received: object[] = [];

/** Takes webhooks as a feature does: the audit event of a payment is what a delivery causes. */
@ApiTags('webhooks')
@Controller('v1/webhooks')
class SampleWebhooksController {
  constructor(private readonly events: SecurityEvents) {}

  @Post('payments')
  @SignedWebhook(payments)
  async paid(@Body() event: PaymentEvent): Promise<void> {
    await this.settle(event);
  }

  @Post('forge')
  @SignedWebhook(forge)
  async pushed(@Body() event: PaymentEvent): Promise<void> {
    await this.settle(event);
  }

  @Post('ledger')
  @SignedWebhook(ledger)
  async booked(@Body() event: PaymentEvent): Promise<void> {
    await this.settle(event);
  }

  @Post('few')
  @SignedWebhook(few)
  async seldom(@Body() event: PaymentEvent): Promise<void> {
    await this.settle(event);
  }

  private async settle(event: PaymentEvent): Promise<void> {
    const { id } = event.data;
    received.push(event);
    await this.events.recordInTransaction({
      action: 'sensitive_create',
      outcome: 'success',
      target: { type: 'payment', id },
    });
    if (failing.delete(id)) throw new Error('the handler fails behind its first write');
  }
}

/** Routes that no delivery gets through. */
@ApiTags('webhooks')
@Controller('v1/webhooks')
class ClosedWebhooksController {
  /** Its secret is not set. */
  @Post('unset')
  @SignedWebhook(unset)
  unknown(@Body() event: PaymentEvent): void {
    received.push(event);
  }

  /** Declares the signature, and nobody verifies it. */
  @Post('unverified')
  @Signed({ sender: 'payments', field: 'webhook-signature', description: 'Forgotten.' })
  @ApiNoContentResponse()
  forgotten(@Body() event: PaymentEvent): void {
    received.push(event);
  }
}

@Module({ controllers: [SampleWebhooksController] })
export class SampleWebhooksModule {}

@Module({ controllers: [ClosedWebhooksController] })
export class ClosedWebhooksModule {}
