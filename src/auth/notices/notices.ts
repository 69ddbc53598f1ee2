import { AsyncLocalStorage } from 'node:async_hooks';
import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { FieldEncryptionError } from '@nestjs-secure-template/field-encryption';
import { Clock } from '../../common/clock.js';
import { noticeText, type NoticeText } from '../../common/events/notice-texts.js';
import { coarseNetworkOf } from '../../common/http/network.js';
import { requestContext } from '../../common/http/request-context.js';
import { SecurityEvents, type SecurityEvent, type SecurityEventSink } from '../../common/events/security-events.js';
import { Database } from '../../database/index.js';
import { Mailer, type MailText } from '../../mail/index.js';
import { BoundedCache } from '../authentication/bounded-cache.js';

const betweenRefusalsMs = 60 * 60 * 1000;
const maxRememberedRefusals = 10_000;

/**
 * Turns security events into mails to the person concerned: queued in the transaction of the change, so that neither is
 * without the other.
 */
@Injectable()
export class Notices implements SecurityEventSink, OnModuleInit {
  private readonly logger = new Logger('Notices');
  /** Refusals come from inside of transactions that are rolled back, and the mail must not be. */
  private readonly outsideOfRequests = AsyncLocalStorage.snapshot();
  private readonly toldAt = new BoundedCache<string, number>(maxRememberedRefusals);

  constructor(
    private readonly events: SecurityEvents,
    private readonly database: Database,
    private readonly mailer: Mailer,
    private readonly clock: Clock,
  ) {}

  onModuleInit(): void {
    this.events.subscribe(this);
  }

  async recordInTransaction(event: SecurityEvent): Promise<void> {
    const text = noticeText(event.action);
    const userId = text && personOf(event, text);
    if (text !== undefined && userId !== undefined) await this.send(userId, this.write(event, text));
  }

  /** What tells nobody anything adds nothing to the statement; the rest has an address to look up. */
  rows({ action }: SecurityEvent): readonly object[] | undefined {
    return noticeText(action) === undefined ? [] : undefined;
  }

  reportLater(event: SecurityEvent): void {
    const text = noticeText(event.action);
    const userId = text && personOf(event, text);
    if (text?.refusal !== true || userId === undefined || this.wasToldLately(`${event.action} ${userId}`)) return;
    const notice = this.write(event, text);
    this.outsideOfRequests(() => {
      this.send(userId, notice).catch((error: unknown) => this.logger.error('a notice could not be queued', error));
    });
  }

  private async send(userId: string, notice: MailText): Promise<void> {
    const to = await this.addressOf(userId);
    if (to !== undefined) await this.mailer.send(to, notice);
  }

  /**
   * Undefined for a spoiled address too: it was reported as it was found, and must not keep anybody from closing the
   * account.
   */
  private async addressOf(userId: string): Promise<string | undefined> {
    try {
      const user = await this.database.client.user.findUnique({ where: { id: userId }, select: { email: true } });
      return user?.email;
    } catch (error) {
      if (!(error instanceof FieldEncryptionError)) throw error;
      this.logger.error('a notice has no address', error);
      return undefined;
    }
  }

  private write(event: SecurityEvent, { subject, what, advice }: NoticeText): MailText {
    const when = `${this.clock.now().toISOString().slice(0, 16).replace('T', ' ')} UTC`;
    const where = fromWhere(event);
    return (publicUrl) => ({
      subject,
      body: [
        what(event),
        { code: `Where: ${publicUrl}\nWhen: ${when}${where}` },
        advice === 'secure-account'
          ? 'If it was not you: reset your password, sign in, delete every passkey and authenticator app and end ' +
            `every session that you do not know, and tell the operator of ${publicUrl}.`
          : `If you did not expect this, ask the operator of ${publicUrl}.`,
      ],
    });
  }

  private wasToldLately(key: string): boolean {
    const now = this.clock.now().getTime();
    if (now - (this.toldAt.get(key) ?? 0) < betweenRefusalsMs) return true;
    this.toldAt.set(key, now);
    return false;
  }
}

function personOf({ target, actorId, details }: SecurityEvent, { toActor }: NoticeText): string | undefined {
  // Repeated after a restore: the person was told when it happened.
  if (details?.['again'] === true) return undefined;
  if (toActor === true) return actorId;
  return target?.type === 'user' ? target.id : undefined;
}

/** Coarse, and never the network of an administrator: that is nobody else's business. */
function fromWhere({ target }: SecurityEvent): string {
  const context = requestContext();
  const place = context && coarseNetworkOf(context.address);
  const byOther = target?.type === 'user' && context?.principal !== undefined && context.principal.userId !== target.id;
  return place === undefined || byOther ? '' : `\nFrom the network: ${place}`;
}
