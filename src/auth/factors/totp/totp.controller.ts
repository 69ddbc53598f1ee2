import { Body, Controller, Delete, HttpCode, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { BeforeSecondFactor, Can, OpenInLockdown, StepUp } from '../../../common/access/access.decorators.js';
import { CarriesCookie } from '../../../common/http/cookies.js';
import { CurrentPerson, type Person } from '../../../common/access/principal.js';
import { RateLimit } from '../../../common/http/rate-limit.js';
import { Refuses } from '../../../common/http/refusals.decorator.js';
import { SignedInView } from '../../sessions/sessions.dto.js';
import { factorPermissions, proofLimits } from '../factors.access.js';
import { TotpCode, TotpConfirmedView, TotpEnrolmentView } from './totp.dto.js';
import { TotpService } from './totp.service.js';

@ApiTags('auth')
@ApiBearerAuth()
@Controller('v1/auth/totp')
export class TotpController {
  constructor(private readonly totp: TotpService) {}

  /** Begins the enrolment of an authenticator app. One that was begun before and not confirmed is replaced. */
  @Post()
  @Can(factorPermissions.manage)
  @StepUp()
  @BeforeSecondFactor('enrolment')
  @Refuses('conflict')
  @ApiCreatedResponse({ type: TotpEnrolmentView })
  begin(@CurrentPerson() principal: Person): Promise<TotpEnrolmentView> {
    return this.totp.begin(principal);
  }

  /** Finishes the enrolment by a first code. The caller's other sessions end. */
  @Post('confirm')
  @HttpCode(200)
  @Can(factorPermissions.manage)
  @BeforeSecondFactor('enrolment')
  @CarriesCookie()
  @RateLimit(proofLimits)
  @Refuses('conflict')
  @ApiOkResponse({ type: TotpConfirmedView })
  confirm(@CurrentPerson() principal: Person, @Body() { code }: TotpCode): Promise<TotpConfirmedView> {
    return this.totp.confirm(principal, code);
  }

  /** The second factor of a sign-in: answers the tokens of a whole session, and ends the one that waited. */
  @Post('verify')
  @OpenInLockdown()
  @HttpCode(200)
  @Can(factorPermissions.prove)
  @BeforeSecondFactor()
  @CarriesCookie()
  @RateLimit(proofLimits)
  @Refuses('conflict')
  @ApiOkResponse({ type: SignedInView })
  verify(@CurrentPerson() principal: Person, @Body() { code }: TotpCode): Promise<SignedInView> {
    return this.totp.verify(principal, code);
  }

  /** Takes the authenticator app away, for example because the phone is lost. The caller's other sessions end. */
  @Delete()
  @HttpCode(204)
  @Can(factorPermissions.manage)
  @StepUp()
  @Refuses('not-found')
  @ApiNoContentResponse()
  async remove(@CurrentPerson() principal: Person): Promise<void> {
    await this.totp.remove(principal);
  }
}
