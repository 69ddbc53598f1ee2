// Threat: an attack that is noticed, and told to nobody, or so often that nobody reads it (ASVS v5.0.0-16.3.3).
// Does: stores each alert as one row until somebody acknowledges it, and tells of it once by mail and signed webhook;
// again when it comes back or grows tenfold.
// Does not: notice anything itself, call anybody out of bed, or take the place of the log.
// Remove: npm run remove alerting; alerts are then lines of the log only.
import { Module } from '@nestjs/common';
import { Cursors } from '../../common/http/cursors.js';
import { AlertsController } from './alerts.controller.js';
import { AlertsRepository } from './alerts.repository.js';
import { AlertsService } from './alerts.service.js';
import { Teller } from './teller.js';
import { WebhookDelivery } from './webhook-delivery.js';
import { WebhooksRepository } from './webhooks.repository.js';

@Module({
  controllers: [AlertsController],
  providers: [AlertsService, Cursors, AlertsRepository, Teller, WebhookDelivery, WebhooksRepository],
})
export class AlertingModule {}
