import { Body, Controller, Get, HttpCode, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiCreatedResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { BeforeSecondFactor, Can, StepUp } from '../../common/access.decorators.js';
import { CarriesCookie } from '../../common/cookies.js';
import { CurrentPrincipal, type Principal } from '../../common/principal.js';
import { RateLimit } from '../../common/rate-limit.decorator.js';
import { Refuses } from '../../common/refusals.decorator.js';
import { SignedInView } from '../sessions/index.js';
import { ProveRecoveryCode, RecoveryCodesStateView, RecoveryCodesView } from './recovery-codes.dto.js';
import { RecoveryCodes } from './recovery-codes.js';

@ApiTags('auth')
@ApiBearerAuth()
@Controller('v1/auth/recovery-codes')
export class RecoveryCodesController {
  constructor(private readonly recoveryCodes: RecoveryCodes) {}

  /** Makes ten new codes, for somebody who has a second factor. The ones before are worth nothing from now on, and the caller's other sessions end. */
  @Post()
  @Can('factor:manage')
  @StepUp()
  @Refuses('conflict')
  @ApiCreatedResponse({ type: RecoveryCodesView })
  async create(@CurrentPrincipal() principal: Principal): Promise<RecoveryCodesView> {
    return { codes: await this.recoveryCodes.create(principal) };
  }

  /** How many codes are left, and never which. */
  @Get()
  @Can('factor:manage')
  @ApiOkResponse({ type: RecoveryCodesStateView })
  state(@CurrentPrincipal() principal: Principal): Promise<RecoveryCodesStateView> {
    return this.recoveryCodes.stateOf(principal.userId);
  }

  /** The second factor of a sign-in, when the usual one is lost. Lower case and missing hyphens are accepted. */
  @Post('verify')
  @HttpCode(200)
  @Can('factor:prove')
  @BeforeSecondFactor()
  @CarriesCookie()
  @RateLimit('proof')
  @Refuses('conflict')
  @ApiOkResponse({ type: SignedInView })
  verify(@CurrentPrincipal() principal: Principal, @Body() { code }: ProveRecoveryCode): Promise<SignedInView> {
    return this.recoveryCodes.signIn(principal, code);
  }
}
