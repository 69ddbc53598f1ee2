import { Global, Module } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { Measures } from '../common/events/measures.js';
import { CONFIG, type Config } from '../config/index.js';
import { Attempts } from './attempts.js';
import { Delivery } from './delivery.js';
import { MailTransport } from './mail-transport.js';
import { MailboxPage } from './mailbox.page.js';
import { Mailer } from './mailer.js';
import { OutgoingMails } from './outgoing-mails.js';
import { Outbox } from './outbox.js';
import { SmtpTransport } from './smtp.transport.js';

/** Queues only. For commands: the running service, or the next one, delivers. */
@Global()
@Module({ providers: [Mailer, OutgoingMails], exports: [Mailer, OutgoingMails] })
export class MailQueueModule {}

const transport = {
  provide: MailTransport,
  inject: [CONFIG, Outbox],
  useFactory: (config: Config, outbox: Outbox) =>
    config.smtpUrl === undefined ? outbox : new SmtpTransport(config.smtpUrl, config),
};

// Threat: a mail server that is dead, slow or hostile decides what the API answers, loses notices or learns tokens in
// clear; headers and recipients written by strangers (ASVS v5.0.0-1.3.11).
// Does: mails wait in a table, sealed, in the transaction of what they tell of; a worker delivers at least once, over
// verified TLS.
// Does not: sign mails (DKIM is the mail server's) or handle what bounces.
// Remove: not by itself; registration mails its tokens. What tells people of changes is a part of its own.
@Module({ imports: [MailQueueModule], providers: [MailboxPage, Outbox, Attempts, Delivery, transport] })
export class MailModule {
  constructor(mails: OutgoingMails, clock: Clock, measures: Measures) {
    measures.add({
      name: 'mails_waiting',
      help: 'Mails that have not left yet, of all instances.',
      read: async () => (await mails.waiting()).count,
    });
    measures.add({
      name: 'mail_oldest_waiting_seconds',
      help: 'Age of the oldest mail that has not left yet; 0 when none waits.',
      read: async () => {
        const { since } = await mails.waiting();
        return since === null ? 0 : (clock.now().getTime() - since.getTime()) / 1000;
      },
    });
  }
}
