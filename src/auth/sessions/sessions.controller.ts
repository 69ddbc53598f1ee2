import { Body, Controller, Delete, Get, Header, HttpCode, Param, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { Can, OpenInLockdown, Public, StepUp } from '../../common/access/access.decorators.js';
import { definePermissions, user } from '../../common/access/permissions.js';
import { CarriesCookie } from '../../common/http/cookies.js';
import { IdParam } from '../../common/http/fields.js';
import { CurrentPerson, type Person } from '../../common/access/principal.js';
import { defineRateLimits, minute, RateLimit } from '../../common/http/rate-limit.js';
import { Refresh, SessionsView, TokensView } from './sessions.dto.js';
import { SessionsService } from './sessions.service.js';

const sessionPermissions = definePermissions('session', {
  list: { objects: 'self', roles: [user] },
  end: { objects: 'self', roles: [user] },
});

const refreshLimits = defineRateLimits('refresh', [
  { name: 'refresh-network', requests: 120, windowSeconds: minute, per: 'network' },
]);

@ApiTags('auth')
@Controller('v1/auth')
export class SessionsController {
  constructor(private readonly sessions: SessionsService) {}

  /**
   * Exchanges a refresh token, in the body or in browser mode in the cookie, for its successor and a new access token.
   */
  @Post('refresh')
  @OpenInLockdown()
  @HttpCode(200)
  @Public()
  @CarriesCookie()
  @RateLimit(refreshLimits)
  @ApiOkResponse({ type: TokensView })
  refresh(@Body() { refreshToken }: Refresh): Promise<TokensView> {
    return this.sessions.refresh(refreshToken);
  }

  /**
   * Ends the session that the access token, or in browser mode the cookie, belongs to: its tokens are worth nothing
   * from now on.
   */
  @Post('logout')
  @OpenInLockdown()
  @HttpCode(204)
  @ApiBearerAuth()
  // The access token may have expired: then the cookie says whose session it is, and with neither the answer is 401. A
  // machine has no session.
  @Public({ kinds: ['person'] })
  @CarriesCookie()
  // ASVS v5.0.0-14.3.1: nothing of the session stays behind in the browser.
  @Header('Clear-Site-Data', '"cache", "cookies", "storage"')
  @ApiNoContentResponse()
  async logout(@CurrentPerson() principal?: Person): Promise<void> {
    await this.sessions.signOut(principal);
  }
}

/**
 * Step-up: whoever has stolen a session must not be able to throw its owner out everywhere else (ASVS v5.0.0-7.5.2).
 */
@ApiTags('auth')
@ApiBearerAuth()
@Controller('v1/auth/sessions')
export class OwnSessionsController {
  constructor(private readonly sessions: SessionsService) {}

  /** Where the caller is signed in. */
  @Get()
  @Can(sessionPermissions.list)
  @ApiOkResponse({ type: SessionsView })
  list(@CurrentPerson() principal: Person): Promise<SessionsView> {
    return this.sessions.list(principal);
  }

  /** Ends every session of the caller but this one. */
  @Delete('others')
  @OpenInLockdown()
  @HttpCode(204)
  @Can(sessionPermissions.end)
  @StepUp()
  @ApiNoContentResponse()
  endOthers(@CurrentPerson() principal: Person): Promise<void> {
    return this.sessions.endOthers(principal);
  }

  /** Ends one session of the caller. */
  @Delete(':id')
  @OpenInLockdown()
  @HttpCode(204)
  @Can(sessionPermissions.end)
  @StepUp()
  @CarriesCookie()
  @ApiNoContentResponse()
  endOne(@CurrentPerson() principal: Person, @Param() { id }: IdParam): Promise<void> {
    return this.sessions.endOne(principal, id);
  }

  /** Ends every session of the caller, this one included. */
  @Delete()
  @OpenInLockdown()
  @HttpCode(204)
  @Can(sessionPermissions.end)
  @StepUp()
  @CarriesCookie()
  @Header('Clear-Site-Data', '"cache", "cookies", "storage"')
  @ApiNoContentResponse()
  endAll(@CurrentPerson() principal: Person): Promise<void> {
    return this.sessions.endAll(principal);
  }
}
