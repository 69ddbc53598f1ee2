import { Controller, Get, Header } from '@nestjs/common';
import { ApiExcludeController, ApiProduces } from '@nestjs/swagger';
import { Public } from '../../common/access/access.decorators.js';
import { aDay, asset, pagePolicy } from '../../api-docs/index.js';
import { resourcesPage, resourcesScript } from './resources.page.js';

const javascript = 'text/javascript; charset=utf-8';

/**
 * The page that renders what people wrote. Trusted Types: no text becomes HTML or script but through the sanitiser,
 * whatever a later change of the page's script does (ASVS v5.0.0-3.2.2; browsers that lack them ignore it).
 */
const richTextPolicy = [pagePolicy, "require-trusted-types-for 'script'", 'trusted-types dompurify'].join('; ');

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
