import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiNoContentResponse, ApiTags } from '@nestjs/swagger';
import { Can, StepUp } from '../../common/access.decorators.js';
import { CurrentPrincipal, type Principal } from '../../common/principal.js';
import { RateLimit } from '../../common/rate-limit.decorator.js';
import { ChangePassword } from './password-change.dto.js';
import { PasswordChange } from './password-change.js';

@ApiTags('auth')
@Controller('v1/auth/password')
export class PasswordChangeController {
  constructor(private readonly changes: PasswordChange) {}

  /** Needs the present password and a fresh sign-in. All other sessions of the caller end. */
  @Post('change')
  @HttpCode(204)
  @ApiBearerAuth()
  @Can('password:change')
  @StepUp()
  @RateLimit('credential')
  @ApiNoContentResponse()
  change(@CurrentPrincipal() principal: Principal, @Body() passwords: ChangePassword): Promise<void> {
    return this.changes.change(principal, passwords);
  }
}
