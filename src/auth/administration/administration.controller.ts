import { Body, Controller, Delete, HttpCode, Param, Patch, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { Can, StepUp } from '../../common/access.decorators.js';
import { IdParam } from '../../common/fields.js';
import { CurrentPrincipal, type Principal } from '../../common/principal.js';
import { Refuses } from '../../common/refusals.decorator.js';
import { SecurityEvents } from '../../common/security-events.js';
import { AccountLocks } from './account-locks.js';
import { ChangeStatus, StatusView } from './administration.dto.js';
import { demandAnother } from './caller.js';
import { ForcedResets } from './forced-resets.js';
import { ForcedSignOuts } from './forced-sign-outs.js';

@ApiTags('administration')
@ApiBearerAuth()
@Controller('v1')
export class AdministrationController {
  constructor(
    private readonly locks: AccountLocks,
    private readonly resets: ForcedResets,
    private readonly signOuts: ForcedSignOuts,
    private readonly events: SecurityEvents,
  ) {}

  /** Locks an account, or opens it again. Locked, it ends every session at once, and signs nobody in. */
  @Patch('users/:id/status')
  @Can('user:disable')
  @StepUp()
  @Refuses('conflict')
  @ApiOkResponse({ type: StatusView })
  async changeStatus(@CurrentPrincipal() principal: Principal, @Param() { id }: IdParam, @Body() { status }: ChangeStatus): Promise<StatusView> {
    demandAnother(this.events, principal, id);
    await this.locks.change(principal, id, status);
    return { id, status };
  }

  /** From now on neither the password nor a passkey signs anybody in. Its owner gets a mail with a token for a new one; nobody else sees or chooses it. */
  @Post('users/:id/password-reset')
  @HttpCode(204)
  @Can('user:reset-password')
  @StepUp()
  @Refuses('conflict')
  @ApiNoContentResponse()
  async forceReset(@CurrentPrincipal() principal: Principal, @Param() { id }: IdParam): Promise<void> {
    demandAnother(this.events, principal, id);
    await this.resets.begin(principal, id);
  }

  /** Ends every session of one person. The password stays. */
  @Delete('users/:id/sessions')
  @HttpCode(204)
  @Can('user:sign-out')
  @StepUp()
  @ApiNoContentResponse()
  async signOut(@CurrentPrincipal() principal: Principal, @Param() { id }: IdParam): Promise<void> {
    demandAnother(this.events, principal, id);
    await this.signOuts.of(principal, id);
  }

  /** Ends every session of everyone, the caller's too. */
  @Delete('sessions')
  @HttpCode(204)
  @Can('user:sign-out')
  @StepUp()
  @ApiNoContentResponse()
  async signOutEveryone(@CurrentPrincipal() principal: Principal): Promise<void> {
    await this.signOuts.ofEveryone(principal);
  }
}
