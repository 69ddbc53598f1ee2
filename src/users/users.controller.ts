import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Query, StreamableFile } from '@nestjs/common';
import { ApiBearerAuth, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { Can, StepUp } from '../common/access/access.decorators.js';
import { ExportView } from '../common/events/personal-data.js';
import { PageQuery } from '../common/http/cursors.js';
import { IdParam } from '../common/http/fields.js';
import { CurrentPerson, type Person } from '../common/access/principal.js';
import { defineRateLimits, hour, RateLimit } from '../common/http/rate-limit.js';
import { Refuses } from '../common/http/refusals.decorator.js';
import { AccountsService } from './accounts.service.js';
import { AccountView, ChangeRoles, UpdateAccount, UserListView, UserView } from './users.dto.js';
import { accountPermissions, userPermissions } from './users.permissions.js';
import { UsersService } from './users.service.js';

/** An export tells most: a stolen session must not harvest in a loop (A6-5). */
const exportLimits = defineRateLimits('export', [
  { name: 'export-network', requests: 30, windowSeconds: hour, per: 'network' },
  { name: 'export', requests: 5, windowSeconds: hour, per: 'user' },
]);

@ApiTags('users')
@ApiBearerAuth()
@Controller('v1/users')
export class UsersController {
  constructor(
    private readonly accounts: AccountsService,
    private readonly users: UsersService,
  ) {}

  @Get('me')
  @Can(accountPermissions.read)
  @Refuses('not-found')
  @ApiOkResponse({ type: AccountView })
  me(@CurrentPerson() principal: Person): Promise<AccountView> {
    return this.accounts.account(principal);
  }

  @Patch('me')
  @Can(accountPermissions.update)
  @Refuses('not-found')
  @ApiOkResponse({ type: AccountView })
  updateMe(@CurrentPerson() principal: Person, @Body() changes: UpdateAccount): Promise<AccountView> {
    return this.accounts.update(principal, changes);
  }

  @Delete('me')
  @Can(accountPermissions.delete)
  @StepUp()
  @HttpCode(204)
  @Refuses('not-found', 'conflict')
  @ApiNoContentResponse()
  async deleteMe(@CurrentPerson() principal: Person): Promise<void> {
    await this.accounts.erase(principal);
  }

  @Get('me/export')
  @Can(accountPermissions.export)
  @StepUp()
  @RateLimit(exportLimits)
  @Refuses('not-found')
  @ApiOkResponse({ type: ExportView })
  async exportMe(@CurrentPerson() principal: Person): Promise<StreamableFile> {
    return new StreamableFile(await this.accounts.export(principal), { type: 'application/json; charset=utf-8' });
  }

  @Get()
  @Can(userPermissions.list)
  @ApiOkResponse({ type: UserListView })
  list(@CurrentPerson() principal: Person, @Query() page: PageQuery): Promise<UserListView> {
    return this.users.list(principal, page);
  }

  @Get(':id')
  @Can(userPermissions.read)
  @ApiOkResponse({ type: UserView })
  find(@CurrentPerson() principal: Person, @Param() { id }: IdParam): Promise<UserView> {
    return this.users.find(principal, id);
  }

  @Patch(':id/roles')
  @Can(userPermissions.grant)
  @StepUp()
  @Refuses('conflict')
  @ApiOkResponse({ type: UserView })
  changeRoles(
    @CurrentPerson() principal: Person,
    @Param() { id }: IdParam,
    @Body() { roles }: ChangeRoles,
  ): Promise<UserView> {
    return this.users.changeRoles(principal, id, roles);
  }
}
