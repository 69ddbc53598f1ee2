// The life of a passkey in a browser, on /docs/passkeys: there as long as the document of the API is.
// Remove: npm run remove passkeys-page; passkeys stay.
// Also: test/browser/passkeys-page.browser.ts.
import { Module } from '@nestjs/common';
import { PasskeysPageController } from './passkeys-page.controller.js';

@Module({ controllers: [PasskeysPageController] })
export class PasskeysPageModule {}
