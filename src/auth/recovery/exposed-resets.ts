import { Injectable } from '@nestjs/common';
import { ExposedCredentials } from '../../common/exposed-credentials.js';
import { SecurityEvents } from '../../common/security-events.js';
import { Database } from '../../database/index.js';
import { mailedTokens } from '../one-time-tokens/one-time-tokens.js';
import { ResetRepository } from './reset.repository.js';
import { Resetting } from './resetting.js';

/** A mailed token that crossed the wire in clear opens nothing any more (practice 1.3). */
@Injectable()
export class ExposedResets {
  constructor(
    exposed: ExposedCredentials,
    private readonly resetting: Resetting,
    private readonly resets: ResetRepository,
    private readonly database: Database,
    private readonly events: SecurityEvents,
  ) {
    exposed.subscribe({ kind: 'tokens to reset a password', pattern: mailedTokens, revoke: (lookAlikes) => this.revoke(lookAlikes) });
  }

  private async revoke(lookAlikes: readonly string[]): Promise<void> {
    for (const token of lookAlikes) {
      const reset = await this.resetting.find(token);
      if (reset === undefined) continue;
      await this.database.transaction(async () => {
        if (!(await this.resets.consume(reset))) return;
        const target = { type: 'user', id: reset.owner.id };
        await this.events.record({ action: 'authn_credential_in_clear', outcome: 'denied', target, details: { reason: 'password-reset' } });
      });
    }
  }
}
