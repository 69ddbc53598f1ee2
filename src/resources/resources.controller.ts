import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiCreatedResponse, ApiHeader, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Can } from '../common/access.decorators.js';
import { entityTag, IfMatch } from '../common/entity-tag.js';
import { IdParam } from '../common/fields.js';
import { CurrentPrincipal, type Principal } from '../common/principal.js';
import { CreateResource, ListResources, ResourceListView, ResourceView, UpdateResource } from './resources.dto.js';
import { ResourcesService } from './resources.service.js';

const ifMatch = ApiHeader({ name: 'If-Match', required: true, description: 'The ETag that the caller has read.', schema: { type: 'string' } });

@ApiTags('resources')
@ApiBearerAuth()
@Controller('v1/resources')
export class ResourcesController {
  constructor(private readonly resources: ResourcesService) {}

  @Post()
  @Can('resource:create')
  @ApiCreatedResponse({ type: ResourceView })
  async create(
    @CurrentPrincipal() principal: Principal,
    @Body() resource: CreateResource,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ResourceView> {
    const created = await this.resources.create(principal, resource);
    reply.header('location', `/v1/resources/${created.id}`);
    return tagged(reply, created);
  }

  @Get()
  @Can('resource:read')
  @ApiOkResponse({ type: ResourceListView })
  list(@CurrentPrincipal() principal: Principal, @Query() page: ListResources): Promise<ResourceListView> {
    return this.resources.list(principal, page);
  }

  @Get(':id')
  @Can('resource:read')
  @ApiOkResponse({ type: ResourceView })
  async find(
    @CurrentPrincipal() principal: Principal,
    @Param() { id }: IdParam,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ResourceView> {
    return tagged(reply, await this.resources.find(principal, id));
  }

  @Patch(':id')
  @Can('resource:update')
  @ifMatch
  @ApiOkResponse({ type: ResourceView })
  async update(
    @CurrentPrincipal() principal: Principal,
    @Param() { id }: IdParam,
    @IfMatch() version: number,
    @Body() changes: UpdateResource,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ResourceView> {
    return tagged(reply, await this.resources.update(principal, id, version, changes));
  }

  @Delete(':id')
  @Can('resource:delete')
  @HttpCode(204)
  @ifMatch
  @ApiNoContentResponse()
  delete(@CurrentPrincipal() principal: Principal, @Param() { id }: IdParam, @IfMatch() version: number): Promise<void> {
    return this.resources.delete(principal, id, version);
  }
}

function tagged(reply: FastifyReply, resource: ResourceView): ResourceView {
  reply.header('etag', entityTag(resource.version));
  return resource;
}
