import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Controller, Get, Header } from '@nestjs/common';
import { ApiExcludeController, ApiProduces } from '@nestjs/swagger';
import { Public } from '../common/access.decorators.js';
import { OpenApi } from './open-api.js';
import { page, pagePolicy, startScript } from './page.js';

const javascript = 'text/javascript; charset=utf-8';
const aDay = 'private, max-age=86400';

/** Two files by name, read once: no request chooses a path, so none can climb out of the folder. */
const asset = (name: 'swagger-ui.css' | 'swagger-ui-bundle.js') => {
  const file = createRequire(import.meta.url).resolve(`swagger-ui-dist/${name}`);
  let bytes: Buffer | undefined;
  return () => (bytes ??= readFileSync(file));
};

/** `/openapi.json` and the page on `/docs`: ordinary handlers, so that guards, limits and log see them. */
@Controller()
@ApiExcludeController()
export class ApiDocsController {
  private readonly style = asset('swagger-ui.css');
  private readonly bundle = asset('swagger-ui-bundle.js');

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
