// Threat: an attack that is recorded, and that nobody looks at until it is over (OWASP API9, ASVS V16.3).
// Does: holds security events, statuses of answers and measures against a table of rules, and raises alerts: error and
// warning lines, which alerting stores and sends.
// Does not: stop anything; limits and locks do. What is usual is learned by each instance for itself.
// Remove: npm run remove detection; attacks are then in the audit trail only.
// Also: docs/runbooks.
import { Inject, Module } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';
import { CONFIG, type Config } from '../../config/index.js';
import { detectionSettings } from './detection.settings.js';
import { Detector, RULES } from './detector.js';
import { readRulesFile } from './rules-file.js';
import { rules } from './rules.js';

@Module({
  providers: [
    Detector,
    {
      provide: RULES,
      inject: [CONFIG],
      useFactory: (config: Config) => readRulesFile(config.of(detectionSettings).DETECTION_RULES_FILE, rules),
    },
  ],
})
export class DetectionModule {
  constructor(host: HttpAdapterHost, @Inject(Detector) detector: Detector) {
    const instance: FastifyInstance = host.httpAdapter.getInstance();
    // A hook, and after the answer: what guards, router and parser refuse meets no interceptor.
    instance.addHook('onResponse', (request, reply, done) => {
      const route = request.is404 ? undefined : `${request.method} ${request.routeOptions.url}`;
      detector.seeAnswer(reply.statusCode, route);
      done();
    });
  }
}
