import { Injectable } from '@nestjs/common';
import type { Principal } from '../../common/principal.js';
import { Problem } from '../../common/problem.js';
import { SecurityEvents } from '../../common/security-events.js';
import { Database } from '../../database/index.js';
import { FactorChanges } from '../sessions/index.js';
import { PasskeyRepository } from './passkey.repository.js';
import type { PasskeyListView, PasskeyView } from './passkey.view.js';

/** What people do with the passkeys that they have. */
@Injectable()
export class Passkeys {
  constructor(
    private readonly repository: PasskeyRepository,
    private readonly database: Database,
    private readonly changes: FactorChanges,
    private readonly events: SecurityEvents,
  ) {}

  async list({ userId }: Principal): Promise<PasskeyListView> {
    return { items: await this.repository.listOf(userId) };
  }

  rename(principal: Principal, id: string, name: string): Promise<PasskeyView> {
    return this.database.transaction(async () => {
      const renamed = await this.repository.rename(principal, id, name);
      await this.events.record({ action: 'user_updated', outcome: 'success', target: { type: 'passkey', id }, details: { fields: ['name'] } });
      return renamed;
    });
  }

  /** From the commit on it signs nobody in (ASVS v5.0.0-6.5.6). Whoever used it elsewhere, after a theft for example, is out as well. */
  async remove(principal: Principal, id: string): Promise<void> {
    await this.changes.change(principal, { action: 'authn_factor_removed', details: { factor: 'passkey', passkeyId: id } }, async () => {
      if (!(await this.repository.remove(principal, id))) throw new Problem('not-found');
    });
  }
}
