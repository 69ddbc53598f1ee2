import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Query, StreamableFile } from '@nestjs/common';
import { ApiBearerAuth, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { Can, StepUp } from '../common/access.decorators.js';
import { PageQuery } from '../common/cursors.js';
import { IdParam } from '../common/fields.js';
import { CurrentPrincipal, type Principal } from '../common/principal.js';
import { RateLimit } from '../common/rate-limit.decorator.js';
import { Refuses } from '../common/refusals.decorator.js';
import { AccountExport } from './account-export.js';
import { AccountsService } from './accounts.service.js';
import { AccountErasure } from './account-erasure.js';
import { ExportView } from './export.view.js';
import { AccountView, ChangeRoles, UpdateAccount, UserListView, UserView } from './users.dto.js';
import { UsersService } from './users.service.js';

@ApiTags('users')
@ApiBearerAuth()
@Controller('v1/users')
export class UsersController {
  constructor(
    private readonly accounts: AccountsService,
    private readonly exports: AccountExport,
    private readonly erasure: AccountErasure,
    private readonly users: UsersService,
  ) {}

  @Get('me')
  @Can('account:read')
  @Refuses('not-found')
  @ApiOkResponse({ type: AccountView })
  me(@CurrentPrincipal() principal: Principal): Promise<AccountView> {
    return this.accounts.account(principal);
  }

  @Patch('me')
  @Can('account:update')
  @Refuses('not-found')
  @ApiOkResponse({ type: AccountView })
  updateMe(@CurrentPrincipal() principal: Principal, @Body() changes: UpdateAccount): Promise<AccountView> {
    return this.accounts.update(principal, changes);
  }

  @Delete('me')
  @Can('account:delete')
  @StepUp()
  @HttpCode(204)
  @Refuses('not-found', 'conflict')
  @ApiNoContentResponse()
  async deleteMe(@CurrentPrincipal() principal: Principal): Promise<void> {
    await this.erasure.eraseCaller(principal);
  }

  @Get('me/export')
  @Can('account:export')
  @StepUp()
  @RateLimit('export')
  @Refuses('not-found')
  @ApiOkResponse({ type: ExportView })
  async exportMe(@CurrentPrincipal() principal: Principal): Promise<StreamableFile> {
    return new StreamableFile(await this.exports.create(principal), { type: 'application/json; charset=utf-8' });
  }

  @Get()
  @Can('user:list')
  @ApiOkResponse({ type: UserListView })
  list(@CurrentPrincipal() principal: Principal, @Query() page: PageQuery): Promise<UserListView> {
    return this.users.list(principal, page);
  }

  @Get(':id')
  @Can('user:read')
  @ApiOkResponse({ type: UserView })
  find(@CurrentPrincipal() principal: Principal, @Param() { id }: IdParam): Promise<UserView> {
    return this.users.find(principal, id);
  }

  @Patch(':id/roles')
  @Can('user:grant')
  @StepUp()
  @Refuses('conflict')
  @ApiOkResponse({ type: UserView })
  changeRoles(@CurrentPrincipal() principal: Principal, @Param() { id }: IdParam, @Body() { roles }: ChangeRoles): Promise<UserView> {
    return this.users.changeRoles(principal, id, roles);
  }
}
