import { Controller, Get, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { Can } from '../common/access/access.decorators.js';
import { CurrentPerson, type Person } from '../common/access/principal.js';
import { PageQuery } from '../common/http/cursors.js';
import { AccountEventListView, AuditEventListView, ListAuditEvents } from './audit-events.dto.js';
import { auditPermissions } from './audit-events.permissions.js';
import { AuditEventsService } from './audit-events.service.js';

@ApiTags('audit')
@ApiBearerAuth()
@Controller('v1')
export class AuditEventsController {
  constructor(private readonly events: AuditEventsService) {}

  /** The audit trail, newest first, for auditors. */
  @Get('audit/events')
  @Can(auditPermissions.read)
  @ApiOkResponse({ type: AuditEventListView })
  list(@CurrentPerson() person: Person, @Query() query: ListAuditEvents): Promise<AuditEventListView> {
    return this.events.list(person, query);
  }

  /** What the caller did, and what was done to their account, newest first. */
  @Get('users/me/events')
  @Can(auditPermissions.readOwn)
  @ApiOkResponse({ type: AccountEventListView })
  listOwn(@CurrentPerson() person: Person, @Query() query: PageQuery): Promise<AccountEventListView> {
    return this.events.listOwn(person, query);
  }
}
