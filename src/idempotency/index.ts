export { IdempotentRequest } from './idempotency.dto.js';
export { Idempotency, keyReused } from './idempotency.js';
export { IdempotencyModule } from './idempotency.module.js';
