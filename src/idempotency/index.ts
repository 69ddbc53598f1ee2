export { IdempotentRequest } from './idempotency.dto.js';
export { Idempotency } from './idempotency.js';
export { IdempotencyModule } from './idempotency.module.js';
