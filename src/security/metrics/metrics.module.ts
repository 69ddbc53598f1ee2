// Threat: an attack, an overload or a part that fails, and nobody sees it before people complain (OWASP API9, ASVS
// V16.2).
// Does: counts requests by route, security events and alerts, and reads what each part measures, at GET /metrics of the
// internal listener.
// Does not: keep, draw or alert; a Prometheus does, from the outside.
// Remove: npm run remove metrics; the log and the audit trail still tell each event.
// Also: deploy/prometheus, deploy/grafana.
import { Module } from '@nestjs/common';
import { EventMetrics } from './event-metrics.js';
import { MetricsPage } from './metrics.page.js';
import { OwnRegistry } from './own-registry.js';
import { RequestMetrics } from './request-metrics.js';

@Module({ providers: [OwnRegistry, RequestMetrics, EventMetrics, MetricsPage] })
export class MetricsModule {}
