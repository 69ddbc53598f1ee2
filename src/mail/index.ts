export type { Mail, MailContent, MailText } from './mail.js';
export { MailModule, MailQueueModule } from './mail.module.js';
export { Mailer } from './mailer.js';
