import { Controller, Get, Header } from '@nestjs/common';
import { ApiExcludeController, ApiProduces } from '@nestjs/swagger';
import { Public } from '../../../../common/access/access.decorators.js';
import { pagePolicy } from '../../../../api-docs/index.js';
import { passkeysPage, passkeysScript } from './passkeys.page.js';

/** The page on `/docs/passkeys`, under the policy of `/docs`. */
@Controller('docs')
@ApiExcludeController()
export class PasskeysPageController {
  @Get('passkeys')
  @Public()
  @ApiProduces('text/html')
  @Header('content-type', 'text/html; charset=utf-8')
  @Header('content-security-policy', pagePolicy)
  page(): string {
    return passkeysPage;
  }

  @Get('passkeys.js')
  @Public()
  @ApiProduces('text/javascript')
  @Header('content-type', 'text/javascript; charset=utf-8')
  script(): string {
    return passkeysScript;
  }
}
