import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { Public } from '../../common/access/access.decorators.js';
import { JwksView } from './jwks.view.js';
import { SigningKeys } from './signing-keys.js';

@ApiTags('auth')
@Controller('.well-known')
export class JwksController {
  constructor(private readonly keys: SigningKeys) {}

  /** The public keys of our access tokens, for services that verify them themselves. */
  @Get('jwks.json')
  @Public()
  @ApiOkResponse({ type: JwksView })
  list() {
    return { keys: this.keys.list().map(({ id, publicJwk }) => ({ ...publicJwk, kid: id, alg: 'ES256', use: 'sig' })) };
  }
}
