import { Body, Controller, Header, HttpCode, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { Public } from '../../common/access.decorators.js';
import { CarriesCookie } from '../../common/cookies.js';
import { CurrentPrincipal, type Principal } from '../../common/principal.js';
import { RateLimit } from '../../common/rate-limit.decorator.js';
import { Refresh } from './refresh.dto.js';
import { RefreshRequests } from './refresh-requests.js';
import { SignOuts } from './sign-outs.js';
import { TokensView } from './tokens.view.js';

@ApiTags('auth')
@Controller('v1/auth')
export class SessionsController {
  constructor(
    private readonly refreshes: RefreshRequests,
    private readonly signOuts: SignOuts,
  ) {}

  /** Exchanges a refresh token, in the body or in browser mode in the cookie, for its successor and a new access token. */
  @Post('refresh')
  @HttpCode(200)
  @Public()
  @CarriesCookie()
  @RateLimit('refresh')
  @ApiOkResponse({ type: TokensView })
  refresh(@Body() { refreshToken }: Refresh): Promise<TokensView> {
    return this.refreshes.refresh(refreshToken);
  }

  /** Ends the session that the access token, or in browser mode the cookie, belongs to: its tokens are worth nothing from now on. */
  @Post('logout')
  @HttpCode(204)
  @ApiBearerAuth()
  // The access token may have expired: then the cookie says whose session it is, and with neither the answer is 401.
  @Public()
  @CarriesCookie()
  // ASVS v5.0.0-14.3.1: nothing of the session stays behind in the browser.
  @Header('Clear-Site-Data', '"cache", "cookies", "storage"')
  @ApiNoContentResponse()
  async logout(@CurrentPrincipal() principal?: Principal): Promise<void> {
    await this.signOuts.signOut(principal);
  }
}
