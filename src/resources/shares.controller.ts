import { Body, Controller, Delete, Get, HttpCode, Param, Put } from '@nestjs/common';
import { ApiBearerAuth, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { Can } from '../common/access/access.decorators.js';
import { IdParam } from '../common/http/fields.js';
import { CurrentPrincipal, type Principal } from '../common/access/principal.js';
import { resourcePermissions } from './resource.policy.js';
import { PutShare, ShareListView, ShareParams, ShareView } from './resources.dto.js';
import { SharesService } from './shares.service.js';

@ApiTags('resources')
@ApiBearerAuth()
@Controller('v1/resources/:id/shares')
export class SharesController {
  constructor(private readonly shares: SharesService) {}

  @Get()
  @Can(resourcePermissions.share)
  @ApiOkResponse({ type: ShareListView })
  list(@CurrentPrincipal() principal: Principal, @Param() { id }: IdParam): Promise<ShareListView> {
    return this.shares.list(principal, id);
  }

  @Put(':userId')
  @Can(resourcePermissions.share)
  @ApiOkResponse({ type: ShareView })
  changeRole(
    @CurrentPrincipal() principal: Principal,
    @Param() { id, userId }: ShareParams,
    @Body() { role }: PutShare,
  ): Promise<ShareView> {
    return this.shares.changeRole(principal, id, { userId, role });
  }

  @Delete(':userId')
  @Can(resourcePermissions.share)
  @HttpCode(204)
  @ApiNoContentResponse()
  delete(@CurrentPrincipal() principal: Principal, @Param() { id, userId }: ShareParams): Promise<void> {
    return this.shares.delete(principal, id, userId);
  }
}
