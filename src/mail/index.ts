export type { Mail } from './mail.js';
export { MailModule, MailQueueModule } from './mail.module.js';
export { Mailer } from './mailer.js';
