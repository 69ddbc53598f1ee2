export { createErrorHandlers } from './error-handlers.js';
export { ErrorsModule } from './errors.module.js';
export { catchTheRest } from './last-resort.js';
