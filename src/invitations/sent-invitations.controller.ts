import { Body, Controller, Delete, Get, HttpCode, Param, Post } from '@nestjs/common';
import { ApiAcceptedResponse, ApiBearerAuth, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { Can } from '../common/access/access.decorators.js';
import { IdParam } from '../common/http/fields.js';
import { CurrentPrincipal, type Principal } from '../common/access/principal.js';
import { RateLimit } from '../common/http/rate-limit.js';
import { resourcePermissions } from '../resources/index.js';
import { inviteLimits } from './invitation.limits.js';
import { Invite, InvitedView, SentInvitationListView, SentInvitationParams } from './invitations.dto.js';
import { SentInvitationsService } from './sent-invitations.service.js';

const invited: InvitedView = { message: 'The address was invited, unless it wants no invitations.' };

@ApiTags('invitations')
@ApiBearerAuth()
@Controller('v1/resources/:id')
export class SentInvitationsController {
  constructor(private readonly invitations: SentInvitationsService) {}

  /** Offers a share. The answer is the same for every address; the same address again changes the role. */
  @Post('shares')
  @HttpCode(202)
  @Can(resourcePermissions.share)
  @RateLimit(inviteLimits)
  @ApiAcceptedResponse({ type: InvitedView })
  async invite(
    @CurrentPrincipal() principal: Principal,
    @Param() { id }: IdParam,
    @Body() invitation: Invite,
  ): Promise<InvitedView> {
    await this.invitations.invite(principal, id, invitation);
    return invited;
  }

  /** Those that wait for an answer. */
  @Get('invitations')
  @Can(resourcePermissions.share)
  @ApiOkResponse({ type: SentInvitationListView })
  list(@CurrentPrincipal() principal: Principal, @Param() { id }: IdParam): Promise<SentInvitationListView> {
    return this.invitations.list(principal, id);
  }

  @Delete('invitations/:invitationId')
  @HttpCode(204)
  @Can(resourcePermissions.share)
  @ApiNoContentResponse()
  revoke(@CurrentPrincipal() principal: Principal, @Param() { id, invitationId }: SentInvitationParams): Promise<void> {
    return this.invitations.revoke(principal, id, invitationId);
  }
}
