import { Controller, Delete, Get, Header, HttpCode, Param } from '@nestjs/common';
import { ApiBearerAuth, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { Can, StepUp } from '../../common/access.decorators.js';
import { CarriesCookie } from '../../common/cookies.js';
import { IdParam } from '../../common/fields.js';
import { CurrentPrincipal, type Principal } from '../../common/principal.js';
import { OwnSessions } from './own-sessions.js';
import { SessionsView } from './sessions.view.js';

/** Step-up: whoever has stolen a session must not be able to throw its owner out everywhere else (ASVS v5.0.0-7.5.2). */
@ApiTags('auth')
@ApiBearerAuth()
@Controller('v1/auth/sessions')
export class OwnSessionsController {
  constructor(private readonly own: OwnSessions) {}

  /** Where the caller is signed in. */
  @Get()
  @Can('session:list')
  @ApiOkResponse({ type: SessionsView })
  list(@CurrentPrincipal() principal: Principal): Promise<SessionsView> {
    return this.own.list(principal);
  }

  /** Ends every session of the caller but this one. */
  @Delete('others')
  @HttpCode(204)
  @Can('session:end')
  @StepUp()
  @ApiNoContentResponse()
  endOthers(@CurrentPrincipal() principal: Principal): Promise<void> {
    return this.own.endOthers(principal);
  }

  /** Ends one session of the caller. */
  @Delete(':id')
  @HttpCode(204)
  @Can('session:end')
  @StepUp()
  @CarriesCookie()
  @ApiNoContentResponse()
  endOne(@CurrentPrincipal() principal: Principal, @Param() { id }: IdParam): Promise<void> {
    return this.own.endOne(principal, id);
  }

  /** Ends every session of the caller, this one included. */
  @Delete()
  @HttpCode(204)
  @Can('session:end')
  @StepUp()
  @CarriesCookie()
  @Header('Clear-Site-Data', '"cache", "cookies", "storage"')
  @ApiNoContentResponse()
  endAll(@CurrentPrincipal() principal: Principal): Promise<void> {
    return this.own.endAll(principal);
  }
}
