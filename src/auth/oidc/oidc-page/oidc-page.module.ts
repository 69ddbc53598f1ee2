// Sign-in by another service in a browser, on /docs/oidc: there as long as the document of the API is.
// Remove: npm run remove oidc-page; the sign-in itself stays.
// Also: test/browser/oidc-page.browser.ts.
import { Module } from '@nestjs/common';
import { OidcPageController } from './oidc-page.controller.js';

@Module({ controllers: [OidcPageController] })
export class OidcPageModule {}
