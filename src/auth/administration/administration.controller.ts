import { Body, Controller, Delete, HttpCode, Param, Patch, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { Can, OpenInLockdown, StepUp } from '../../common/access/access.decorators.js';
import { IdParam } from '../../common/http/fields.js';
import { CurrentPerson, type Person } from '../../common/access/principal.js';
import { Refuses } from '../../common/http/refusals.decorator.js';
import { SecurityEvents } from '../../common/events/security-events.js';
import { ChangeStatus, StatusView } from './administration.dto.js';
import { AdministrationService } from './administration.service.js';
import { administrationPermissions, assertNotSelf } from './caller.js';
import { ForcedResetService } from './forced-reset.service.js';

@ApiTags('administration')
@ApiBearerAuth()
@Controller('v1')
export class AdministrationController {
  constructor(
    private readonly administration: AdministrationService,
    private readonly resets: ForcedResetService,
    private readonly events: SecurityEvents,
  ) {}

  /** Locks an account, or opens it again. Locked, it ends every session at once, and signs nobody in. */
  @Patch('users/:id/status')
  @OpenInLockdown()
  @Can(administrationPermissions.disable)
  @StepUp()
  @Refuses('conflict')
  @ApiOkResponse({ type: StatusView })
  async changeStatus(
    @CurrentPerson() principal: Person,
    @Param() { id }: IdParam,
    @Body() { status }: ChangeStatus,
  ): Promise<StatusView> {
    assertNotSelf(this.events, principal, id);
    await this.administration.changeStatus(principal, id, status);
    return { id, status };
  }

  /**
   * From now on neither the password nor a passkey signs anybody in. Its owner gets a mail with a token for a new one;
   * nobody else sees or chooses it.
   */
  @Post('users/:id/password-reset')
  @OpenInLockdown()
  @HttpCode(204)
  @Can(administrationPermissions.resetPassword)
  @StepUp()
  @Refuses('conflict')
  @ApiNoContentResponse()
  async forceReset(@CurrentPerson() principal: Person, @Param() { id }: IdParam): Promise<void> {
    assertNotSelf(this.events, principal, id);
    await this.resets.begin(principal, id);
  }

  /** Ends every session of one person. The password stays. */
  @Delete('users/:id/sessions')
  @OpenInLockdown()
  @HttpCode(204)
  @Can(administrationPermissions.signOut)
  @StepUp()
  @ApiNoContentResponse()
  async signOut(@CurrentPerson() principal: Person, @Param() { id }: IdParam): Promise<void> {
    assertNotSelf(this.events, principal, id);
    await this.administration.signOut(principal, id);
  }

  /** Ends every session of everyone, the caller's too. */
  @Delete('sessions')
  @OpenInLockdown()
  @HttpCode(204)
  @Can(administrationPermissions.signOut)
  @StepUp()
  @ApiNoContentResponse()
  async signOutEveryone(@CurrentPerson() principal: Person): Promise<void> {
    await this.administration.signOutEveryone(principal);
  }
}
