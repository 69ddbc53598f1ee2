import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { Can, Public } from '../common/access/access.decorators.js';
import { definePermissions, user } from '../common/access/permissions.js';
import { PageQuery } from '../common/http/cursors.js';
import { IdParam } from '../common/http/fields.js';
import { CurrentPrincipal, type Principal } from '../common/access/principal.js';
import { Refuses } from '../common/http/refusals.decorator.js';
import { ShareView } from '../resources/index.js';
import { InvitationListView, OptOut } from './invitations.dto.js';
import { InvitationsService } from './invitations.service.js';
import { OptOuts } from './opt-outs.js';

/** For the invited; who invites shares a resource. */
const invitationPermissions = definePermissions('invitation', {
  read: { objects: 'self', roles: [user] },
  answer: { objects: 'self', roles: [user] },
});

@ApiTags('invitations')
@Controller('v1/invitations')
export class InvitationsController {
  constructor(
    private readonly invitations: InvitationsService,
    private readonly optOuts: OptOuts,
  ) {}

  /** Those to the present address of the caller. */
  @Get()
  @Can(invitationPermissions.read)
  @ApiBearerAuth()
  @ApiOkResponse({ type: InvitationListView })
  list(@CurrentPrincipal() principal: Principal, @Query() query: PageQuery): Promise<InvitationListView> {
    return this.invitations.list(principal, query);
  }

  @Post(':id/accept')
  @HttpCode(200)
  @Can(invitationPermissions.answer)
  @Refuses('conflict')
  @ApiBearerAuth()
  @ApiOkResponse({ type: ShareView })
  accept(@CurrentPrincipal() principal: Principal, @Param() { id }: IdParam): Promise<ShareView> {
    return this.invitations.accept(principal, id);
  }

  @Post(':id/decline')
  @HttpCode(204)
  @Can(invitationPermissions.answer)
  @ApiBearerAuth()
  @ApiNoContentResponse()
  decline(@CurrentPrincipal() principal: Principal, @Param() { id }: IdParam): Promise<void> {
    return this.invitations.decline(principal, id);
  }

  /**
   * Ends invitations to a mailbox. POST, because mail scanners follow links; the answer never tells what the token was
   * worth.
   */
  @Post('opt-out')
  @HttpCode(204)
  @Public()
  @ApiNoContentResponse()
  optOut(@Body() { token }: OptOut): Promise<void> {
    return this.optOuts.optOut(token);
  }
}
