// Threat: unexpected input, mass assignment, and rows that leak through answers (OWASP API3, ASVS V2.2, V15.3).
// Does: every input is reduced to its DTO, every answer to its view; no boot with a handler that lacks either.
// Does not: parse bytes (the listener's JSON parser does) nor check rules that need the database (services do).
// Remove: delete this folder and its line in app.module.ts. Inputs are then taken, and rows returned, as they are, without ETag.
//   src/inventory/ shows the column `view` and checks the forms by this folder: take those lines out as well.
import { Module } from '@nestjs/common';
import { APP_GUARD, APP_PIPE, DiscoveryModule, HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';
import { AnswerGuard, reduceAnswers } from './answer.guard.js';
import { DeclaredForms } from './declared-forms.js';
import { InputPipe } from './input.pipe.js';
import { UndeclaredInputGuard } from './undeclared-input.guard.js';

@Module({
  imports: [DiscoveryModule],
  providers: [
    DeclaredForms,
    { provide: APP_GUARD, useClass: UndeclaredInputGuard },
    { provide: APP_GUARD, useClass: AnswerGuard },
    { provide: APP_PIPE, useClass: InputPipe },
  ],
})
export class ValidationModule {
  constructor(host: HttpAdapterHost) {
    reduceAnswers(host.httpAdapter.getInstance<FastifyInstance>());
  }
}
