// Remove: npm run remove idempotency, with the last feature that takes an Idempotency-Key.
import { Global, Module } from '@nestjs/common';
import { IdempotencyRepository } from './idempotency.repository.js';
import { Idempotency } from './idempotency.js';

/**
 * What every feature that makes things may use, in two lines: `@RequestHeaders() headers: IdempotentRequest` and
 * `Idempotency.once()`.
 */
@Global()
@Module({ providers: [IdempotencyRepository, Idempotency], exports: [Idempotency] })
export class IdempotencyModule {}
