// Threat: unexpected input, mass assignment, and rows that leak through answers (OWASP API3, ASVS V2.2, V15.3).
// Does: every input is reduced to its DTO, every answer to its view; no boot with a handler that lacks either.
// Does not: parse bytes (the listener's JSON parser does) nor check rules that need the database (services do).
// Remove: not by itself; every handler counts on it: inputs would be taken, and rows returned, as they are.
import { Module } from '@nestjs/common';
import { APP_GUARD, APP_INTERCEPTOR, APP_PIPE, DiscoveryModule, HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';
import { AnswerInterceptor, holdBackUnreleased } from './answer.interceptor.js';
import { DeclaredForms } from './declared-forms.js';
import { InputPipe } from './input.pipe.js';
import { UndeclaredInputGuard } from './undeclared-input.guard.js';

@Module({
  imports: [DiscoveryModule],
  providers: [
    DeclaredForms,
    { provide: APP_GUARD, useClass: UndeclaredInputGuard },
    { provide: APP_PIPE, useClass: InputPipe },
    { provide: APP_INTERCEPTOR, useClass: AnswerInterceptor },
  ],
})
export class ValidationModule {
  constructor(host: HttpAdapterHost) {
    holdBackUnreleased(host.httpAdapter.getInstance<FastifyInstance>());
  }
}
