import { randomInt } from 'node:crypto';
import { Injectable, Logger } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { SecurityEvents } from '../common/events/security-events.js';
import { Database } from '../database/index.js';
import { MailTransport, MailTransportError } from './mail-transport.js';
import { OutgoingMails, type Claim } from './outgoing-mails.js';

/** Less than the lease, so that two instances never send one mail at the same time. */
const attemptMs = 60 * 1000;
const givenUpAfterMs = 24 * 60 * 60 * 1000;
const firstRetryMs = 10 * 1000;
const lastRetryMs = 60 * 60 * 1000;

/** 10 s, doubled up to 1 h; between half and all of it, so that what failed together does not come back together. */
export const backOffMs = (attempts: number): number =>
  Math.min(lastRetryMs, firstRetryMs * 2 ** (attempts - 1)) * (0.5 + randomInt(1000) / 2000);

/** One attempt to deliver a claimed mail, and what becomes of the mail then. */
@Injectable()
export class Attempts {
  private readonly logger = new Logger('Mail');

  constructor(
    private readonly mails: OutgoingMails,
    private readonly transport: MailTransport,
    private readonly database: Database,
    private readonly events: SecurityEvents,
    private readonly clock: Clock,
  ) {}

  /** @param stopping the service is about to end: the mail goes back, for whoever is next. */
  async make(claim: Claim, stopping: AbortSignal): Promise<void> {
    try {
      const mail = await this.mails.open(claim.id);
      if (mail !== null)
        await this.transport.deliver(mail, AbortSignal.any([stopping, AbortSignal.timeout(attemptMs)]));
    } catch (error) {
      if (stopping.aborted) await this.mails.postpone(claim, this.clock.now());
      else await this.failed(claim, error);
      return;
    }
    await this.mails.delete(claim.id);
  }

  private async failed(claim: Claim, error: unknown): Promise<void> {
    // Never the error itself: see MailTransportError.
    const { code, permanent } = error instanceof MailTransportError ? error : { code: nameOf(error), permanent: false };
    const waitMs = backOffMs(claim.attempts);
    const next = this.clock.now().getTime() + waitMs;
    if (permanent || next > claim.createdAt.getTime() + givenUpAfterMs) return this.giveUp(claim, code);
    this.logger.warn(
      `a mail did not leave (${code}): attempt ${claim.attempts}, the next in ${Math.round(waitMs / 1000)} s`,
    );
    await this.mails.postpone(claim, new Date(next));
  }

  /** Never silently: somebody waits for that mail. */
  private async giveUp({ id, attempts }: Claim, code: string): Promise<void> {
    this.logger.error(`the mail ${id} was given up (${code}) after ${attempts} attempts`);
    await this.database.transaction(async () => {
      await this.mails.delete(id);
      const details = { step: 'mail-given-up', attempts, code };
      await this.events.recordInTransaction({
        action: 'sys_error',
        outcome: 'failure',
        target: { type: 'outgoing-mail', id },
        details,
      });
    });
  }
}

const nameOf = (error: unknown): string => (error instanceof Error ? error.name : 'unknown');
