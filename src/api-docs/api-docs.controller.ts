import { Controller, Get, Header } from '@nestjs/common';
import { ApiExcludeController, ApiProduces } from '@nestjs/swagger';
import { Public } from '../common/access/access.decorators.js';
import { aDay, asset, someMinutes } from './asset.js';
import { OpenApi } from './open-api.js';
import { page, pagePolicy, startScript } from './page.js';
import { pagesScript } from './pages.script.js';
import { pagesStyle } from './pages.style.js';

const javascript = 'text/javascript; charset=utf-8';

/** `/openapi.json` and the page on `/docs`: ordinary handlers, so that guards, limits and log see them. */
@Controller()
@ApiExcludeController()
export class ApiDocsController {
  private readonly style = asset('swagger-ui-dist/swagger-ui.css');
  private readonly bundle = asset('swagger-ui-dist/swagger-ui-bundle.js');

  constructor(private readonly openApi: OpenApi) {}

  @Get('openapi.json')
  @Public()
  @ApiProduces('application/json')
  @Header('content-type', 'application/json; charset=utf-8')
  document(): string {
    return this.openApi.json();
  }

  @Get('docs')
  @Public()
  @ApiProduces('text/html')
  @Header('content-type', 'text/html; charset=utf-8')
  @Header('content-security-policy', pagePolicy)
  page(): string {
    return page;
  }

  @Get('docs/start.js')
  @Public()
  @ApiProduces('text/javascript')
  @Header('content-type', javascript)
  startScript(): string {
    return startScript;
  }

  @Get('docs/pages.css')
  @Public()
  @ApiProduces('text/css')
  @Header('content-type', 'text/css; charset=utf-8')
  @Header('cache-control', someMinutes)
  pagesStyle(): string {
    return pagesStyle;
  }

  @Get('docs/pages.js')
  @Public()
  @ApiProduces('text/javascript')
  @Header('content-type', javascript)
  @Header('cache-control', someMinutes)
  pagesScript(): string {
    return pagesScript;
  }

  @Get('docs/swagger-ui.css')
  @Public()
  @ApiProduces('text/css')
  @Header('content-type', 'text/css; charset=utf-8')
  @Header('cache-control', aDay)
  styleSheet(): Buffer {
    return this.style();
  }

  @Get('docs/swagger-ui-bundle.js')
  @Public()
  @ApiProduces('text/javascript')
  @Header('content-type', javascript)
  @Header('cache-control', aDay)
  script(): Buffer {
    return this.bundle();
  }
}
