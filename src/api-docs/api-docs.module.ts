import { Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { ApiDocsController } from './api-docs.controller.js';
import { OpenApi } from './open-api.js';
import { PasskeysPageController } from './passkeys-page.controller.js';
import { ResourcesPageController } from './resources-page.controller.js';

// Serves what an attacker would like to read as well, so it is off in production unless API_DOCS=true says otherwise
// (ASVS v5.0.0-13.4.5). Swagger's own set-up is not used: its raw routes walk past every guard.
// Remove: delete this folder and its line in app.module.ts.
@Module({ imports: [DiscoveryModule], controllers: [ApiDocsController, PasskeysPageController, ResourcesPageController], providers: [OpenApi] })
export class ApiDocsModule {}
