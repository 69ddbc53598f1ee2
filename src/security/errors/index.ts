export { createErrorHandlers } from './error-handlers.js';
export { ErrorsModule } from './errors.module.js';
export { installCrashHandlers } from './crash-handlers.js';
