export { HeadersModule } from './headers.module.js';
