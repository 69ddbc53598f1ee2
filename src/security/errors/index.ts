export { clientErrorHandler } from './client-error-handler.js';
export { ErrorsModule } from './errors.module.js';
export { frameworkErrors } from './framework-errors.js';
export { catchTheRest } from './last-resort.js';
