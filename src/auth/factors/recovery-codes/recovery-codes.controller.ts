import { Body, Controller, Get, HttpCode, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiCreatedResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { BeforeSecondFactor, Can, OpenInLockdown, StepUp } from '../../../common/access/access.decorators.js';
import { CarriesCookie } from '../../../common/http/cookies.js';
import { CurrentPerson, type Person } from '../../../common/access/principal.js';
import { RateLimit } from '../../../common/http/rate-limit.js';
import { Refuses } from '../../../common/http/refusals.decorator.js';
import { SignedInView } from '../../sessions/sessions.dto.js';
import { factorPermissions, proofLimits } from '../factors.access.js';
import { ProveRecoveryCode, RecoveryCodesStateView, RecoveryCodesView } from './recovery-codes.dto.js';
import { RecoveryCodesService } from './recovery-codes.service.js';

@ApiTags('auth')
@ApiBearerAuth()
@Controller('v1/auth/recovery-codes')
export class RecoveryCodesController {
  constructor(private readonly recoveryCodes: RecoveryCodesService) {}

  /**
   * Makes ten new codes, for somebody who has a second factor. The ones before are worth nothing from now on, and the
   * caller's other sessions end.
   */
  @Post()
  @Can(factorPermissions.manage)
  @StepUp()
  @Refuses('conflict')
  @ApiCreatedResponse({ type: RecoveryCodesView })
  async create(@CurrentPerson() principal: Person): Promise<RecoveryCodesView> {
    return { codes: await this.recoveryCodes.create(principal) };
  }

  /** How many codes are left, and never which. */
  @Get()
  @Can(factorPermissions.manage)
  @ApiOkResponse({ type: RecoveryCodesStateView })
  state(@CurrentPerson() principal: Person): Promise<RecoveryCodesStateView> {
    return this.recoveryCodes.stateOf(principal.userId);
  }

  /** The second factor of a sign-in, when the usual one is lost. Lower case and missing hyphens are accepted. */
  @Post('verify')
  @OpenInLockdown()
  @HttpCode(200)
  @Can(factorPermissions.prove)
  @BeforeSecondFactor()
  @CarriesCookie()
  @RateLimit(proofLimits)
  @Refuses('conflict')
  @ApiOkResponse({ type: SignedInView })
  verify(@CurrentPerson() principal: Person, @Body() { code }: ProveRecoveryCode): Promise<SignedInView> {
    return this.recoveryCodes.verify(principal, code);
  }
}
