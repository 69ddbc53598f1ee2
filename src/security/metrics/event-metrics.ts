import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Counter } from 'prom-client';
import { Alerts } from '../../common/events/alerts.js';
import {
  ownActions,
  SecurityEvents,
  vocabularyActions,
  type SecurityEvent,
} from '../../common/events/security-events.js';
import { OwnRegistry } from './own-registry.js';

const outcomes: readonly SecurityEvent['outcome'][] = ['success', 'failure', 'denied'];

/** Counts what the practices report. Labels are names that the code declares: neither ids nor details. */
@Injectable()
export class EventMetrics implements OnModuleInit {
  private readonly events;
  private readonly alerts;

  constructor(
    { counted: registry }: OwnRegistry,
    private readonly securityEvents: SecurityEvents,
    private readonly raised: Alerts,
  ) {
    this.events = new Counter({
      name: 'security_events_total',
      help: 'Security events by action and outcome: sign-ins (authn_login_*), limits (excess_rate_limit_exceeded).',
      labelNames: ['action', 'outcome'],
      registers: [registry],
    });
    this.alerts = new Counter({
      name: 'alerts_total',
      help: 'Alerts that detection raised, by rule and severity.',
      labelNames: ['rule', 'severity'],
      registers: [registry],
    });
  }

  onModuleInit(): void {
    // From 0 on: a counter that begins at its first event shows Prometheus no increase by it.
    for (const action of [...vocabularyActions, ...ownActions()])
      for (const outcome of outcomes) this.events.inc({ action, outcome }, 0);
    this.securityEvents.observe(({ action, outcome }) => this.events.inc({ action, outcome }));
    this.raised.subscribe(({ rule, severity }) => this.alerts.inc({ rule, severity }));
  }
}
