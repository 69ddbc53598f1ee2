// Threat: clients that ask for much and read nothing, so that the answers fill the memory (OWASP API4, ASVS
// v5.0.0-15.2.2).
// Does: bounds what waits to be sent per connection, caller and process, answers 503 above it, and cuts readers that
// are too slow.
// Does not: bound one answer: lists do (common/http/cursors.ts), and long documents are streamed
// (common/http/view-stream.ts).
// Remove: npm run remove unsent-answers; a gateway in front has to cut off who reads nothing.
import { Module, type OnModuleInit } from '@nestjs/common';
import { APP_GUARD, HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';
import { UnsentAnswersGuard, countAnswers } from './unsent-answers.guard.js';
import { UnsentAnswers } from './unsent-answers.js';

@Module({ providers: [UnsentAnswers, { provide: APP_GUARD, useClass: UnsentAnswersGuard }] })
export class UnsentAnswersModule implements OnModuleInit {
  constructor(
    private readonly host: HttpAdapterHost,
    private readonly answers: UnsentAnswers,
  ) {}

  /** Not in the constructor: the hook has to see answers after all others, as they leave. */
  onModuleInit(): void {
    countAnswers(this.host.httpAdapter.getInstance<FastifyInstance>(), this.answers);
  }
}
