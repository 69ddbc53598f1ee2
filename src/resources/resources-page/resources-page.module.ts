// What people wrote, as HTML, on /docs/resources: there as long as the document of the API is.
// Remove: npm run remove resources-page; Markdown is then kept, and rendered by nobody.
// Also: docs/practices/rich-text.md, test/browser/resources-page.browser.ts, test/browser/xss-payloads.ts.
import { Module } from '@nestjs/common';
import { ResourcesPageController } from './resources-page.controller.js';

@Module({ controllers: [ResourcesPageController] })
export class ResourcesPageModule {}
