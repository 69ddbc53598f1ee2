import { Inject, Module, SetMetadata } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';
import { RESPONSE_HEADERS, sendOnEveryResponse } from '../../common/http/response-headers.js';
import { RouteTable } from '../../common/http/route-table.js';
import { CONFIG, type Config } from '../../config/index.js';
import { createCorsHooks } from './cors.js';
import { securityHeaders } from './security-headers.js';

// Threat: browsers that run, frame, sniff, cache or leak what an API answered, and pages of strangers that call it.
// Does: helmet's headers on every response of every layer, no-store, CORS by exact list and per route.
// Does not: protect callers that are not browsers; they never send Origin.
// Remove: npm run remove headers; a gateway in front has to send them then.
@Module({})
@SetMetadata(RESPONSE_HEADERS, securityHeaders)
export class HeadersModule {
  constructor(host: HttpAdapterHost, @Inject(CONFIG) config: Config, routes: RouteTable) {
    sendOnEveryResponse(securityHeaders);
    const instance: FastifyInstance = host.httpAdapter.getInstance();
    instance.addHook('onRequest', (_request, reply, done) => {
      void reply.headers(securityHeaders);
      done();
    });
    const { decide, setHeaders } = createCorsHooks(config.corsOrigins, routes);
    instance.addHook('onRequest', decide);
    instance.addHook('onSend', setHeaders);
  }
}
