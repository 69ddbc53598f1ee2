export { ApiDocsModule } from './api-docs.module.js';
export { aDay, asset } from './asset.js';
export { pagePolicy } from './page.js';
