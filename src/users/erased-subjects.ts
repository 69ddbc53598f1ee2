import { Injectable } from '@nestjs/common';
import { PrincipalChanges } from '../common/session-revocation.js';
import { Database } from '../database/index.js';
import { SharedState } from '../shared-state/index.js';

const channel = 'subject-erased';

/** Makes every instance forget somebody at once: what the person might do, and the data keys that are in memory. */
@Injectable()
export class ErasedSubjects {
  constructor(
    database: Database,
    private readonly state: SharedState,
    private readonly changes: PrincipalChanges,
  ) {
    state.subscribe(channel, (userId) => database.forgetDataKeys(userId));
  }

  async announce(userId: string): Promise<void> {
    await this.state.publish(channel, userId);
    await this.changes.announce(userId);
  }
}
