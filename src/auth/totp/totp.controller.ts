import { Body, Controller, Delete, HttpCode, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { BeforeSecondFactor, Can, StepUp } from '../../common/access.decorators.js';
import { CarriesCookie } from '../../common/cookies.js';
import { CurrentPrincipal, type Principal } from '../../common/principal.js';
import { RateLimit } from '../../common/rate-limit.decorator.js';
import { Refuses } from '../../common/refusals.decorator.js';
import { SignedInView } from '../sessions/index.js';
import { TotpCode, TotpConfirmedView, TotpEnrolmentView } from './totp.dto.js';
import { Totp } from './totp.js';

@ApiTags('auth')
@ApiBearerAuth()
@Controller('v1/auth/totp')
export class TotpController {
  constructor(private readonly totp: Totp) {}

  /** Begins the enrolment of an authenticator app. One that was begun before and not confirmed is replaced. */
  @Post()
  @Can('factor:manage')
  @StepUp()
  @BeforeSecondFactor('enrolment')
  @Refuses('conflict')
  @ApiCreatedResponse({ type: TotpEnrolmentView })
  begin(@CurrentPrincipal() principal: Principal): Promise<TotpEnrolmentView> {
    return this.totp.begin(principal);
  }

  /** Finishes the enrolment by a first code. The caller's other sessions end. */
  @Post('confirm')
  @HttpCode(200)
  @Can('factor:manage')
  @BeforeSecondFactor('enrolment')
  @CarriesCookie()
  @RateLimit('proof')
  @Refuses('conflict')
  @ApiOkResponse({ type: TotpConfirmedView })
  confirm(@CurrentPrincipal() principal: Principal, @Body() { code }: TotpCode): Promise<TotpConfirmedView> {
    return this.totp.confirm(principal, code);
  }

  /** The second factor of a sign-in: answers the tokens of a whole session, and ends the one that waited. */
  @Post('verify')
  @HttpCode(200)
  @Can('factor:prove')
  @BeforeSecondFactor()
  @CarriesCookie()
  @RateLimit('proof')
  @Refuses('conflict')
  @ApiOkResponse({ type: SignedInView })
  verify(@CurrentPrincipal() principal: Principal, @Body() { code }: TotpCode): Promise<SignedInView> {
    return this.totp.signIn(principal, code);
  }

  /** Takes the authenticator app away, for example because the phone is lost. The caller's other sessions end. */
  @Delete()
  @HttpCode(204)
  @Can('factor:manage')
  @StepUp()
  @Refuses('not-found')
  @ApiNoContentResponse()
  async remove(@CurrentPrincipal() principal: Principal): Promise<void> {
    await this.totp.remove(principal);
  }
}
