import { Injectable } from '@nestjs/common';
import { ExposedCredentials } from '../../common/exposed-credentials.js';
import { SecurityEvents } from '../../common/security-events.js';
import { mailedTokens } from '../one-time-tokens/one-time-tokens.js';
import { EmailChangeRepository } from './email-change.repository.js';
import { EmailConfirmations } from './email-confirmations.js';

/** One of its two tokens crossed the wire in clear: the whole change ends, so that nobody but its owner begins another (practice 1.3). */
@Injectable()
export class ExposedEmailChanges {
  constructor(
    exposed: ExposedCredentials,
    private readonly confirmations: EmailConfirmations,
    private readonly changes: EmailChangeRepository,
    private readonly events: SecurityEvents,
  ) {
    exposed.subscribe({ kind: 'tokens to change an address', pattern: mailedTokens, revoke: (lookAlikes) => this.revoke(lookAlikes) });
  }

  private async revoke(lookAlikes: readonly string[]): Promise<void> {
    for (const token of lookAlikes) {
      const found = await this.confirmations.find(token);
      if (found === undefined) continue;
      const target = { type: 'user', id: found.pending.userId };
      const event = { action: 'authn_credential_in_clear', outcome: 'denied', target, details: { reason: 'email-change' } } as const;
      await this.changes.giveUp(found.pending.userId, () => this.events.record(event));
    }
  }
}
