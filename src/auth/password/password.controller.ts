import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { Can, OpenInLockdown, Public, StepUp } from '../../common/access/access.decorators.js';
import { KnownDevices } from '../../common/access/known-devices.js';
import { definePermissions, user } from '../../common/access/permissions.js';
import { CurrentPerson, type Person } from '../../common/access/principal.js';
import { SecurityEvents } from '../../common/events/security-events.js';
import { CarriesCookie } from '../../common/http/cookies.js';
import { defineGuessLimits, hour, minute, RateLimit } from '../../common/http/rate-limit.js';
import { SignedInView } from '../sessions/sessions.dto.js';
import { SessionsService } from '../sessions/sessions.service.js';
import { ChangePassword, Login } from './password.dto.js';
import { PasswordsService } from './passwords.service.js';

const passwordPermissions = definePermissions('password', { change: { objects: 'self', roles: [user] } });

const loginLimits = defineGuessLimits('login', [
  { name: 'login-network', requests: 20, windowSeconds: minute, per: 'network' },
  { name: 'login-network-hour', requests: 100, windowSeconds: hour, per: 'network' },
  // Stuffing: one password, or one leaked pair each, on many accounts.
  { name: 'login-accounts', requests: 30, windowSeconds: hour, per: 'accounts of network', from: 'unknown devices' },
  {
    name: 'login-account',
    requests: 10,
    windowSeconds: 15 * minute,
    per: 'account and network',
    from: 'unknown devices',
  },
  // Guessing from many networks. Owners on their devices are not in this bucket, so that filling it locks none of them
  // out.
  { name: 'login-account-hour', requests: 100, windowSeconds: hour, per: 'account', from: 'unknown devices' },
  { name: 'login-device', requests: 10, windowSeconds: 15 * minute, per: 'device', from: 'known devices' },
  // No bucket for all devices together: whoever once knew the password, and collected tokens, would lock the owner's
  // device out with it.
  { name: 'login-device-hour', requests: 30, windowSeconds: hour, per: 'device', from: 'known devices' },
]);

const credentialLimits = defineGuessLimits('credential', [
  { name: 'credential-network', requests: 30, windowSeconds: minute, per: 'network' },
  // By session: a thief of one gets no second one without the password, and must not keep the owner from changing it.
  { name: 'credential', requests: 10, windowSeconds: 15 * minute, per: 'session' },
]);

@ApiTags('auth')
@Controller('v1/auth')
export class LoginController {
  constructor(
    private readonly passwords: PasswordsService,
    private readonly sessions: SessionsService,
    private readonly devices: KnownDevices,
    private readonly events: SecurityEvents,
  ) {}

  /**
   * Begins a session. One that the caller still has on this device ends with it (ASVS v5.0.0-7.2.4). Whoever sends the
   * `deviceToken` of an earlier sign-in along can sign in while strangers guess.
   */
  @Post('login')
  @OpenInLockdown()
  @HttpCode(200)
  @Public()
  @RateLimit(loginLimits)
  @CarriesCookie()
  @ApiOkResponse({ type: SignedInView })
  async login(@Body() { email, password, deviceToken, inBrowser }: Login): Promise<SignedInView> {
    const known = this.devices.recognise(deviceToken, email) === undefined ? undefined : deviceToken;
    const proof = await this.passwords.verify(email, password, known !== undefined);
    const { userId } = proof;
    const isNewDevice = known === undefined && (await this.sessions.hasAny(userId));
    const inTransaction = async () => {
      await this.passwords.assertUnchanged(proof);
      if (isNewDevice)
        await this.events.recordInTransaction({
          action: 'authn_new_device',
          outcome: 'success',
          actorId: userId,
          target: { type: 'user', id: userId },
        });
    };
    const tokens = await this.sessions.signIn({ userId, methods: ['pwd'], inBrowser, inTransaction });
    // Half a sign-in makes no device known: whoever has only the password must not collect tokens.
    return { ...tokens, deviceToken: known ?? (tokens.secondFactors.length === 0 ? this.devices.issue(email) : null) };
  }
}

@ApiTags('auth')
@Controller('v1/auth/password')
export class PasswordChangeController {
  constructor(private readonly passwords: PasswordsService) {}

  /** Needs the present password and a fresh sign-in. All other sessions of the caller end. */
  @Post('change')
  @HttpCode(204)
  @ApiBearerAuth()
  @Can(passwordPermissions.change)
  @StepUp()
  @RateLimit(credentialLimits)
  @ApiNoContentResponse()
  change(@CurrentPerson() principal: Person, @Body() change: ChangePassword): Promise<void> {
    return this.passwords.change(principal, change);
  }
}
