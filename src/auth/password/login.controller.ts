import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { Public } from '../../common/access.decorators.js';
import { CarriesCookie } from '../../common/cookies.js';
import { KnownDevices } from '../../common/known-devices.js';
import { RateLimit } from '../../common/rate-limit.decorator.js';
import { SecurityEvents } from '../../common/security-events.js';
import { Sessions, SignedInView, SignIns } from '../sessions/index.js';
import { Login } from './login.dto.js';
import { Passwords } from './passwords.js';

@ApiTags('auth')
@Controller('v1/auth')
export class LoginController {
  constructor(
    private readonly passwords: Passwords,
    private readonly signIns: SignIns,
    private readonly sessions: Sessions,
    private readonly devices: KnownDevices,
    private readonly events: SecurityEvents,
  ) {}

  /**
   * Begins a session. One that the caller still has on this device ends with it (ASVS v5.0.0-7.2.4). Whoever sends the `deviceToken` of an
   * earlier sign-in along can sign in while strangers guess.
   */
  @Post('login')
  @HttpCode(200)
  @Public()
  @RateLimit('login')
  @CarriesCookie()
  @ApiOkResponse({ type: SignedInView })
  async login(@Body() { email, password, deviceToken, inBrowser }: Login): Promise<SignedInView> {
    const known = this.devices.recognise(deviceToken, email) === undefined ? undefined : deviceToken;
    const proof = await this.passwords.verify(email, password, known !== undefined);
    const { userId } = proof;
    const isNewDevice = known === undefined && (await this.sessions.hasAny(userId));
    const together = async () => {
      await this.passwords.demandUnchanged(proof);
      if (isNewDevice) await this.events.record({ action: 'authn_new_device', outcome: 'success', actorId: userId, target: { type: 'user', id: userId } });
    };
    const tokens = await this.signIns.begin({ userId, methods: ['pwd'], inBrowser, together });
    // Half a sign-in makes no device known: whoever has only the password must not collect tokens.
    return { ...tokens, deviceToken: known ?? (tokens.secondFactors.length === 0 ? this.devices.issue(email) : null) };
  }
}
