import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { Can, OpenInLockdown, StepUp } from '../../common/access/access.decorators.js';
import { CurrentPerson, type Person } from '../../common/access/principal.js';
import { IdParam } from '../../common/http/fields.js';
import { Refuses } from '../../common/http/refusals.decorator.js';
import { clientPermissions } from './clients.access.js';
import { ClientKeys, CreateClient, ListClients } from './clients.dto.js';
import { ClientsService } from './clients.service.js';
import { ClientListView, ClientView } from './clients.view.js';

@ApiTags('clients')
@ApiBearerAuth()
@Controller('v1/clients')
export class ClientsController {
  constructor(private readonly clients: ClientsService) {}

  /** Registers a program. It acts for the owner, within its scopes; the owner is told by mail. */
  @Post()
  @Can(clientPermissions.manage)
  @StepUp()
  @ApiCreatedResponse({ type: ClientView })
  create(@CurrentPerson() principal: Person, @Body() client: CreateClient): Promise<ClientView> {
    return this.clients.create(principal, client);
  }

  @Get()
  @Can(clientPermissions.read)
  @ApiOkResponse({ type: ClientListView })
  list(@CurrentPerson() principal: Person, @Query() query: ListClients): Promise<ClientListView> {
    return this.clients.list(principal, query);
  }

  @Get(':id')
  @Can(clientPermissions.read)
  @ApiOkResponse({ type: ClientView })
  find(@CurrentPerson() principal: Person, @Param() { id }: IdParam): Promise<ClientView> {
    return this.clients.find(principal, id);
  }

  /** In place of all that it had. Its access tokens end. */
  @Put(':id/keys')
  @Can(clientPermissions.manage)
  @StepUp()
  @Refuses('conflict')
  @ApiOkResponse({ type: ClientView })
  replaceKeys(
    @CurrentPerson() principal: Person,
    @Param() { id }: IdParam,
    @Body() keys: ClientKeys,
  ): Promise<ClientView> {
    return this.clients.replaceKeys(principal, id, keys);
  }

  /** It gets no token from now on, and those that it has end, on every instance. */
  @Post(':id/disable')
  @OpenInLockdown()
  @HttpCode(200)
  @Can(clientPermissions.manage)
  @StepUp()
  @Refuses('conflict')
  @ApiOkResponse({ type: ClientView })
  disable(@CurrentPerson() principal: Person, @Param() { id }: IdParam): Promise<ClientView> {
    return this.clients.changeStatus(principal, id, 'disabled');
  }

  @Post(':id/enable')
  @HttpCode(200)
  @Can(clientPermissions.manage)
  @StepUp()
  @Refuses('conflict')
  @ApiOkResponse({ type: ClientView })
  enable(@CurrentPerson() principal: Person, @Param() { id }: IdParam): Promise<ClientView> {
    return this.clients.changeStatus(principal, id, 'active');
  }

  @Delete(':id')
  @HttpCode(204)
  @Can(clientPermissions.manage)
  @StepUp()
  @ApiNoContentResponse()
  async delete(@CurrentPerson() principal: Person, @Param() { id }: IdParam): Promise<void> {
    await this.clients.delete(principal, id);
  }
}
