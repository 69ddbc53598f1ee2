import { Controller, Get, Header } from '@nestjs/common';
import { ApiExcludeController, ApiProduces } from '@nestjs/swagger';
import { pagePolicy } from '../../../api-docs/index.js';
import { Public } from '../../../common/access/access.decorators.js';
import { oidcPage, oidcScript } from './oidc.page.js';

/** The page on `/docs/oidc`, under the policy of `/docs`. */
@Controller('docs')
@ApiExcludeController()
export class OidcPageController {
  @Get('oidc')
  @Public()
  @ApiProduces('text/html')
  @Header('content-type', 'text/html; charset=utf-8')
  @Header('content-security-policy', pagePolicy)
  page(): string {
    return oidcPage;
  }

  @Get('oidc.js')
  @Public()
  @ApiProduces('text/javascript')
  @Header('content-type', 'text/javascript; charset=utf-8')
  script(): string {
    return oidcScript;
  }
}
