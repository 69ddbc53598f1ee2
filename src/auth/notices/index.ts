export { Notices } from './notices.js';
export { NoticesModule } from './notices.module.js';
