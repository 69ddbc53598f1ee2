import { Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { Can } from '../../common/access/access.decorators.js';
import { CurrentPerson, type Person } from '../../common/access/principal.js';
import { IdParam } from '../../common/http/fields.js';
import { alertPermissions } from './alerts.access.js';
import { AlertListView, AlertView, ListAlerts } from './alerts.dto.js';
import { AlertsService } from './alerts.service.js';

@ApiTags('alerts')
@ApiBearerAuth()
@Controller('v1/alerts')
export class AlertsController {
  constructor(private readonly alerts: AlertsService) {}

  /** What somebody has to look at, newest first. */
  @Get()
  @Can(alertPermissions.read)
  @ApiOkResponse({ type: AlertListView })
  list(@CurrentPerson() principal: Person, @Query() query: ListAlerts): Promise<AlertListView> {
    return this.alerts.list(principal, query);
  }

  /**
   * Says that somebody looks at it: the same once more is a new alert. Without a fresh sign-in: nothing is given away
   * by it, and whoever is woken must not look for a second factor first.
   */
  @Post(':id/acknowledge')
  @HttpCode(200)
  @Can(alertPermissions.acknowledge)
  @ApiOkResponse({ type: AlertView })
  acknowledge(@CurrentPerson() principal: Person, @Param() { id }: IdParam): Promise<AlertView> {
    return this.alerts.acknowledge(principal, id);
  }
}
