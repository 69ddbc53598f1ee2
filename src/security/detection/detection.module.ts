// Threat: an attack that is recorded, and that nobody looks at until it is over (OWASP API9, ASVS V16.3).
// Does: tells the operator at once of what never happens by mistake: an error line, and a mail to ALERT_EMAIL.
// Does not: count or correlate; one event is one alarm. The audit trail keeps them all.
// Remove: npm run remove detection; such events are then in the audit trail only.
import { Module } from '@nestjs/common';
import { Alerts } from './alerts.js';

@Module({ providers: [Alerts] })
export class DetectionModule {}
