import { Body, Controller, Get, Post, Query, Req, Res, SerializeOptions } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { CreateResource, ListResources } from '../../../src/resources/resources.dto.js';
import { Roles, type SignedIn } from './auth.js';
import { TextbookResourcesService, TextbookUsersService } from './services.js';
import { AccountView, ResourceListView, ResourceView } from './views.js';

@Controller('v1/users')
export class TextbookUsersController {
  constructor(private readonly users: TextbookUsersService) {}

  @Get('me')
  @Roles('user')
  @SerializeOptions({ type: AccountView, strategy: 'excludeAll' })
  me(@Req() { user }: { user: SignedIn }) {
    return this.users.account(user);
  }
}

@Controller('v1/resources')
export class TextbookResourcesController {
  constructor(private readonly resources: TextbookResourcesService) {}

  @Post()
  @Roles('user')
  @SerializeOptions({ type: ResourceView, strategy: 'excludeAll' })
  async create(
    @Req() { user, id }: { user: SignedIn; id: string },
    @Body() resource: CreateResource,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const created = await this.resources.create(user, resource, id);
    reply.header('location', `/v1/resources/${created.id}`).header('etag', `"${created.version}"`);
    return created;
  }

  @Get()
  @Roles('user')
  @SerializeOptions({ type: ResourceListView, strategy: 'excludeAll' })
  list(@Req() { user }: { user: SignedIn }, @Query() page: ListResources) {
    return this.resources.list(user, page);
  }
}
