export { SecurityConsoleModule } from './security-console.module.js';
