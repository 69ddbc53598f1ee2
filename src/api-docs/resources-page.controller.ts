import { Controller, Get, Header } from '@nestjs/common';
import { ApiExcludeController, ApiProduces } from '@nestjs/swagger';
import { Public } from '../common/access.decorators.js';
import { aDay, asset } from './asset.js';
import { richTextPolicy } from './page.js';
import { resourcesPage, resourcesScript } from './resources.page.js';

const javascript = 'text/javascript; charset=utf-8';

/** The page on `/docs/resources`: the one place that renders the Markdown of a resource. */
@Controller('docs')
@ApiExcludeController()
export class ResourcesPageController {
  private readonly parser = asset('marked');
  private readonly sanitiser = asset('dompurify/dist/purify.min.js');

  @Get('resources')
  @Public()
  @ApiProduces('text/html')
  @Header('content-type', 'text/html; charset=utf-8')
  @Header('content-security-policy', richTextPolicy)
  page(): string {
    return resourcesPage;
  }

  @Get('resources.js')
  @Public()
  @ApiProduces('text/javascript')
  @Header('content-type', javascript)
  script(): string {
    return resourcesScript;
  }

  @Get('marked.js')
  @Public()
  @ApiProduces('text/javascript')
  @Header('content-type', javascript)
  @Header('cache-control', aDay)
  marked(): Buffer {
    return this.parser();
  }

  @Get('purify.js')
  @Public()
  @ApiProduces('text/javascript')
  @Header('content-type', javascript)
  @Header('cache-control', aDay)
  purify(): Buffer {
    return this.sanitiser();
  }
}
