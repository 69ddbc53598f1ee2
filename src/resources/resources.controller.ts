import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { Can, peopleAndMachines } from '../common/access/access.decorators.js';
import { ApiIfMatch, Conditional, EntityTagged, IfMatch } from '../common/http/entity-tag.js';
import { IdParam } from '../common/http/fields.js';
import { CurrentPrincipal, type Principal } from '../common/access/principal.js';
import { Refuses } from '../common/http/refusals.decorator.js';
import { RequestHeaders } from '../common/http/parameters.js';
import { IdempotentRequest, keyReused } from '../idempotency/index.js';
import { resourcePermissions } from './resource.policy.js';
import {
  CreateResource,
  FindResource,
  ListResources,
  ResourceListView,
  ResourcePartView,
  ResourceView,
  UpdateResource,
} from './resources.dto.js';
import { ResourcesService } from './resources.service.js';

@ApiTags('resources')
@ApiBearerAuth()
@Controller('v1/resources')
export class ResourcesController {
  constructor(private readonly resources: ResourcesService) {}

  @Post()
  @Can(resourcePermissions.create, { kinds: peopleAndMachines })
  @Refuses('conflict', keyReused)
  @EntityTagged()
  @ApiCreatedResponse({ type: ResourceView })
  create(
    @CurrentPrincipal() principal: Principal,
    @RequestHeaders() headers: IdempotentRequest,
    @Body() resource: CreateResource,
  ): Promise<ResourceView> {
    return this.resources.create(principal, resource, headers);
  }

  @Get()
  @Can(resourcePermissions.read, { kinds: peopleAndMachines })
  @ApiOkResponse({ type: ResourceListView })
  list(@CurrentPrincipal() principal: Principal, @Query() query: ListResources): Promise<ResourceListView> {
    return this.resources.list(principal, query);
  }

  @Get(':id')
  @Can(resourcePermissions.read, { kinds: peopleAndMachines })
  @Conditional()
  @ApiOkResponse({ type: ResourcePartView })
  find(
    @CurrentPrincipal() principal: Principal,
    @Param() { id }: IdParam,
    @Query() { fields }: FindResource,
  ): Promise<ResourcePartView> {
    return this.resources.find(principal, id, fields);
  }

  @Patch(':id')
  @Can(resourcePermissions.update, { kinds: peopleAndMachines })
  @EntityTagged()
  @ApiIfMatch()
  @ApiOkResponse({ type: ResourceView })
  update(
    @CurrentPrincipal() principal: Principal,
    @Param() { id }: IdParam,
    @IfMatch() version: number,
    @Body() changes: UpdateResource,
  ): Promise<ResourceView> {
    return this.resources.update(principal, id, version, changes);
  }

  @Delete(':id')
  @Can(resourcePermissions.delete, { kinds: peopleAndMachines })
  @HttpCode(204)
  @ApiIfMatch()
  @ApiNoContentResponse()
  delete(
    @CurrentPrincipal() principal: Principal,
    @Param() { id }: IdParam,
    @IfMatch() version: number,
  ): Promise<void> {
    return this.resources.delete(principal, id, version);
  }
}
