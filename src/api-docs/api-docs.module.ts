import { Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { ApiDocsController } from './api-docs.controller.js';
import { OpenApi } from './open-api.js';

// Serves what an attacker would like to read as well, so it is off in production unless API_DOCS=true says otherwise
// (ASVS v5.0.0-13.4.5). Swagger's own set-up is not used: its raw routes walk past every guard.
// Remove: npm run remove api-docs; the pages under /docs and the OpenAPI document go.
@Module({
  imports: [DiscoveryModule],
  controllers: [ApiDocsController],
  providers: [OpenApi],
})
export class ApiDocsModule {}
