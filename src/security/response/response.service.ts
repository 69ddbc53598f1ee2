import { Injectable } from '@nestjs/common';
import { Clock } from '../../common/clock.js';
import {
  defineAction,
  SecurityEvents,
  type SecurityAction,
  type SecurityEvent,
} from '../../common/events/security-events.js';
import { Database } from '../../database/index.js';
import { RestrictionsRepository } from './restrictions.repository.js';

const blockSet = defineAction('response_block_set');
const blockLifted = defineAction('response_block_lifted');
const lockdownSet = defineAction('response_lockdown_set');
const lockdownLifted = defineAction('response_lockdown_lifted');

/** Longer than any instance takes to read it, however slow its database is at the moment. */
const recheckMs = 60_000;

/** What operators set in an incident. Each change and its event commit together. */
@Injectable()
export class ResponseService {
  constructor(
    private readonly repository: RestrictionsRepository,
    private readonly database: Database,
    private readonly events: SecurityEvents,
    private readonly clock: Clock,
  ) {}

  block(network: string, minutes: number): Promise<Date> {
    return this.set('block', network, { minutes, action: blockSet });
  }

  lockDown(minutes: number): Promise<Date> {
    return this.set('lockdown', null, { minutes, action: lockdownSet });
  }

  /** @returns false when it was not blocked. */
  unblock(network: string): Promise<boolean> {
    return this.lift('block', network, blockLifted);
  }

  /** @returns false when there was no lockdown. */
  reopen(): Promise<boolean> {
    return this.lift('lockdown', null, lockdownLifted);
  }

  /** Has every instance forget what it remembers of callers, where no Redis tells them. */
  async recheck(): Promise<void> {
    const now = this.clock.now();
    await this.repository.set('recheck', null, { now, expiresAt: new Date(now.getTime() + recheckMs) });
  }

  status() {
    return this.repository.active(this.clock.now());
  }

  private set(
    kind: 'block' | 'lockdown',
    network: string | null,
    { minutes, action }: { minutes: number; action: SecurityAction },
  ): Promise<Date> {
    return this.database.transaction(async () => {
      const now = this.clock.now();
      const expiresAt = new Date(now.getTime() + minutes * 60_000);
      await this.repository.set(kind, network, { now, expiresAt });
      const details = { ...(network !== null && { network }), until: expiresAt.toISOString() };
      await this.events.recordInTransaction({ action, outcome: 'success', details });
      return expiresAt;
    });
  }

  private lift(kind: 'block' | 'lockdown', network: string | null, action: SecurityAction): Promise<boolean> {
    return this.database.transaction(async () => {
      if (!(await this.repository.lift(kind, network, this.clock.now()))) return false;
      const details: SecurityEvent['details'] = network === null ? {} : { network };
      await this.events.recordInTransaction({ action, outcome: 'success', details });
      return true;
    });
  }
}
