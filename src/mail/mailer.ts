import { randomUUIDv7 } from 'node:crypto';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { CONFIG, type Config } from '../config/index.js';
import { Database } from '../database/index.js';
import type { Mail, MailText } from './mail.js';
import { UnusableAddressError, writeMessage } from './message.js';
import { OutgoingMails } from './outgoing-mails.js';

/**
 * Queues mail. Delivery follows a moment after the commit, so no answer waits for a mail server, or tells how it fares.
 */
@Injectable()
export class Mailer {
  private readonly logger = new Logger('Mailer');
  private wakeDelivery: () => void = () => undefined;

  constructor(
    private readonly mails: OutgoingMails,
    private readonly database: Database,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** Who is told that mail waits. */
  onQueued(listener: () => void): void {
    this.wakeDelivery = listener;
  }

  /**
   * Stores the mail in the running transaction, or by itself. An address that is unusable is logged and changes nothing
   * for the caller: an error would tell who has an account (ASVS v5.0.0-6.3.8).
   */
  async send(to: string, text: MailText): Promise<void> {
    const id = randomUUIDv7();
    const content = await this.write(id, { to, ...text(this.config.publicUrl) });
    if (content === undefined) return;
    await this.mails.add({ id, recipient: to, content });
    await this.database.afterCommit(this.wakeDelivery);
  }

  private async write(id: string, mail: Mail): Promise<string | undefined> {
    const { mailFrom, publicUrl } = this.config;
    try {
      return await writeMessage(mail, {
        from: mailFrom,
        date: this.clock.now(),
        messageId: `${id}@${new URL(publicUrl).hostname}`,
      });
    } catch (error) {
      if (!(error instanceof UnusableAddressError)) throw error;
      this.logger.error('a mail could not be addressed', error);
      return undefined;
    }
  }
}
