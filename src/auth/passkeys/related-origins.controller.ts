import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { Public } from '../../common/access.decorators.js';
import { RelatedOriginsView } from './passkey.view.js';
import { RelyingParty } from './relying-party.js';

@ApiTags('auth')
@Controller('.well-known')
export class RelatedOriginsController {
  constructor(private readonly relyingParty: RelyingParty) {}

  /** The pages that may use the passkeys of this host; browsers ask before they let a page of another domain (WebAuthn Level 3 s5.11). */
  @Get('webauthn')
  @Public()
  @ApiOkResponse({ type: RelatedOriginsView })
  list(): RelatedOriginsView {
    return { origins: this.relyingParty.origins };
  }
}
