// Threat: a trail that nobody reads, or that the administrators read who are in it (ASVS V16.3, NIST AU-9(4)).
// Does: GET /v1/audit/events for the role `auditor`, which administers nothing; GET /v1/users/me/events for everybody,
// about their own account; that the trail was read is in the trail.
// Does not: prove that the trail is whole.
// Remove: npm run remove audit-events; the trail is then read by SQL, and by people in their export.
import { Module } from '@nestjs/common';
import { Cursors } from '../common/http/cursors.js';
import { AuditEventsController } from './audit-events.controller.js';
import { AuditEventsRepository } from './audit-events.repository.js';
import { AuditEventsService } from './audit-events.service.js';

@Module({ controllers: [AuditEventsController], providers: [Cursors, AuditEventsService, AuditEventsRepository] })
export class AuditEventsModule {}
