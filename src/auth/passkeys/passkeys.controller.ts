import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { BeforeSecondFactor, Can, StepUp } from '../../common/access.decorators.js';
import { CarriesCookie } from '../../common/cookies.js';
import { IdParam } from '../../common/fields.js';
import { CurrentPrincipal, type Principal } from '../../common/principal.js';
import { Refuses } from '../../common/refusals.decorator.js';
import { RegistrationOptionsView } from './options.view.js';
import { PasskeyRegistrations } from './passkey-registrations.js';
import { RegisterPasskey, RenamePasskey } from './passkey.dto.js';
import { PasskeyListView, PasskeyView, RegisteredPasskeyView } from './passkey.view.js';
import { Passkeys } from './passkeys.js';

@ApiTags('auth')
@ApiBearerAuth()
@Controller('v1/auth/passkeys')
export class PasskeysController {
  constructor(
    private readonly registrations: PasskeyRegistrations,
    private readonly passkeys: Passkeys,
  ) {}

  /** What `navigator.credentials.create()` takes, with a challenge that is good for five minutes, one answer and this session. */
  @Post('registration-options')
  @HttpCode(200)
  @Can('factor:manage')
  @BeforeSecondFactor('enrolment')
  @StepUp()
  @Refuses('conflict')
  @ApiOkResponse({ type: RegistrationOptionsView })
  options(@CurrentPrincipal() principal: Principal): Promise<RegistrationOptionsView> {
    return this.registrations.options(principal);
  }

  /**
   * Adds the passkey. The caller's other sessions end. No step-up of its own: the challenge was given to this session, which had just
   * proved who it is.
   */
  @Post()
  @Can('factor:manage')
  @BeforeSecondFactor('enrolment')
  @CarriesCookie()
  @Refuses('conflict')
  @ApiCreatedResponse({ type: RegisteredPasskeyView })
  register(@CurrentPrincipal() principal: Principal, @Body() registration: RegisterPasskey): Promise<RegisteredPasskeyView> {
    return this.registrations.register(principal, registration);
  }

  @Get()
  @Can('factor:manage')
  @ApiOkResponse({ type: PasskeyListView })
  list(@CurrentPrincipal() principal: Principal): Promise<PasskeyListView> {
    return this.passkeys.list(principal);
  }

  @Patch(':id')
  @Can('factor:manage')
  @ApiOkResponse({ type: PasskeyView })
  rename(@CurrentPrincipal() principal: Principal, @Param() { id }: IdParam, @Body() { name }: RenamePasskey): Promise<PasskeyView> {
    return this.passkeys.rename(principal, id, name);
  }

  @Delete(':id')
  @Can('factor:manage')
  @StepUp()
  @HttpCode(204)
  @ApiNoContentResponse()
  async remove(@CurrentPrincipal() principal: Principal, @Param() { id }: IdParam): Promise<void> {
    await this.passkeys.remove(principal, id);
  }
}
