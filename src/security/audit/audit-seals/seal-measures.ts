import { Injectable } from '@nestjs/common';
import { Clock } from '../../../common/clock.js';
import { Measures } from '../../../common/events/measures.js';
import { AuditSealing } from './audit-sealing.js';
import { streams, type Stream } from './chain.js';
import { Sealer } from './sealer.js';
import { SealsRepository } from './seals.repository.js';

/** What is not sealed, and for how long: a sealer that stands still must be seen before somebody asks for its proof. */
@Injectable()
export class SealMeasures {
  constructor(
    measures: Measures,
    sealing: AuditSealing,
    sealer: Sealer,
    private readonly repository: SealsRepository,
    private readonly clock: Clock,
  ) {
    measures.add({
      name: 'audit_unsealed_events',
      help: 'Events of the audit trail that have no link yet, 10,000 at most.',
      read: () => sealer.countUnsealed(sealing.lagMs),
    });
    measures.add({
      name: 'audit_seal_lag_seconds',
      help: 'Since when this instance has not seen the whole trail sealed.',
      read: () => sealing.lagMs / 1000,
    });
    measures.add({
      name: 'audit_checkpoint_age_seconds',
      help: 'For how long the oldest link has waited that no checkpoint covers.',
      labels: ['stream'],
      read: () =>
        Promise.all(streams.map(async (stream) => ({ labels: { stream }, value: await this.uncovered(stream) }))),
    });
  }

  private async uncovered(stream: Stream): Promise<number> {
    const since = await this.repository.uncoveredSince(stream);
    return since === undefined ? 0 : Math.max(0, this.clock.now().getTime() - since.getTime()) / 1000;
  }
}
