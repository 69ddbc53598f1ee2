import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { Inject, Module } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';
import { Measures, type Measure } from '../../common/events/measures.js';
import { HealthChecks } from '../../common/health-checks.js';
import { RequestCounter } from '../../common/http/request-counter.js';
import { CONFIG, type Config } from '../../config/index.js';
import { CertificateReload } from './certificate-reload.js';
import { Drain } from './drain.js';
import { parseFormBody } from './form-body.js';
import { InternalListener } from './internal-listener.js';
import { parseJsonBody } from './json-body.js';
import { closesEarly } from './linger.js';
import { limits } from './listener-options.js';
import { RedirectListener } from './redirect-listener.js';
import { createCountHook, createRequestRules } from './request-rules.js';

/** Shorter than whoever reads measures waits. */
const healthBoundMs = 700;

// Threat: listeners in the middle, smuggled or ambiguous requests, clients that hold connections, hosts that are not
// ours.
// Does: TLS 1.2+ with reload, bounds and one meaning for every request, plain HTTP that only redirects or refuses,
// a second listener for internal pages, an end without lost requests.
// Does not: HTTP/2 (a gateway speaks it in front), protection from floods (a gateway or network absorbs them).
// Remove: not by itself; it is the listener of the service.
@Module({ providers: [CertificateReload, Drain, InternalListener, RedirectListener], exports: [Drain] })
export class TransportModule {
  constructor(
    host: HttpAdapterHost,
    @Inject(CONFIG) config: Config,
    counter: RequestCounter,
    health: HealthChecks,
    measures: Measures,
  ) {
    measures.add(healthMeasure(health));
    const instance: FastifyInstance = host.httpAdapter.getInstance();
    // Before whatever refuses a request: a refusal costs something too.
    instance.addHook('onRequest', createCountHook(counter));
    instance.addHook('onRequest', createRequestRules(config));
    instance.addHook('onSend', (request, reply, _payload, done) => {
      if (closesEarly(request.raw, limits.bodyBytes)) reply.header('connection', 'close');
      done();
    });
    // text/plain and forms are what a foreign page can send without a preflight (ASVS v5.0.0-3.5.2). Forms come back
    // for the routes alone that say so.
    instance.removeAllContentTypeParsers();
    instance.addContentTypeParser('application/json', { parseAs: 'buffer' }, parseJsonBody);
    instance.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, parseFormBody);
    const server: Server = instance.server;
    // Node would answer 417 by itself, without our headers. RFC 9110 section 10.1.1 allows to ignore an expectation.
    server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) =>
      server.emit('request', request, response),
    );
  }
}

const healthMeasure = (health: HealthChecks): Measure => ({
  name: 'health_check_up',
  help: '1 while what the service depends on works, by the name of its check.',
  labels: ['check'],
  read: async () =>
    Object.entries((await health.run(healthBoundMs)).checks).map(([check, state]) => ({
      labels: { check },
      value: Number(state === 'up'),
    })),
});
