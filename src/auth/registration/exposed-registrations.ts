import { Injectable } from '@nestjs/common';
import { ExposedCredentials } from '../../common/exposed-credentials.js';
import { SecurityEvents } from '../../common/security-events.js';
import { Database } from '../../database/index.js';
import { mailedTokens } from '../one-time-tokens/one-time-tokens.js';
import { RegistrationRepository } from './registration.repository.js';
import { Verification } from './verification.js';

/** Whoever read the mailed token on the wire could make the account, with a password of their own: the registration ends (practice 1.3). */
@Injectable()
export class ExposedRegistrations {
  constructor(
    exposed: ExposedCredentials,
    private readonly verification: Verification,
    private readonly registrations: RegistrationRepository,
    private readonly database: Database,
    private readonly events: SecurityEvents,
  ) {
    exposed.subscribe({ kind: 'tokens to sign up', pattern: mailedTokens, revoke: (lookAlikes) => this.revoke(lookAlikes) });
  }

  private async revoke(lookAlikes: readonly string[]): Promise<void> {
    for (const token of lookAlikes) {
      const applicant = await this.verification.find(token);
      if (applicant === undefined) continue;
      await this.database.transaction(async () => {
        if (!(await this.registrations.consume(applicant.id, applicant.tokenMac))) return;
        const target = { type: 'registration', id: applicant.id };
        await this.events.record({ action: 'authn_credential_in_clear', outcome: 'denied', target, details: { reason: 'registration' } });
      });
    }
  }
}
