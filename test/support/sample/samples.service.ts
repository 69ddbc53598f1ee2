import { randomUUIDv7 } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { relationOf } from '../../../src/common/access/policy.js';
import type { Principal } from '../../../src/common/access/principal.js';
import { SecurityEvents, type SecurityEvent } from '../../../src/common/events/security-events.js';
import { Cursors } from '../../../src/common/http/cursors.js';
import { Problem } from '../../../src/common/http/problem.js';
import { serialize } from '../../../src/common/http/view.js';
import { Database, type Insertion } from '../../../src/database/index.js';
import { samplePolicy, sampleRelations, type SamplePolicy } from './sample.policy.js';
import {
  SampleView,
  relationIn,
  type CreateSample,
  type ListSamples,
  type SampleListView,
  type UpdateSample,
} from './samples.dto.js';
import { SamplesRepository } from './samples.repository.js';

@Injectable()
export class SamplesService {
  constructor(
    private readonly samples: SamplesRepository,
    private readonly database: Database,
    private readonly events: SecurityEvents,
    private readonly cursors: Cursors,
  ) {}

  /** @param first what has to be written with it, for example the claim of an idempotency key. */
  async create(
    principal: Principal,
    body: CreateSample,
    { id = randomUUIDv7(), first = [] }: { id?: string; first?: readonly Insertion[] } = {},
  ): Promise<SampleView> {
    const recording = this.events.recording(eventOf('sensitive_create', id));
    const row = await this.samples.create(principal, { ...body, id }, first, recording);
    return serialize(SampleView, { relation: 'owner' }, row);
  }

  async list(principal: Principal, { scope = 'owned', q, fields, ...page }: ListSamples): Promise<SampleListView> {
    const read = this.samples.list.bind(this.samples, principal, { scope, q });
    const { items, ...cursors } = await this.cursors.page(principal, ['samples', scope, q ?? ''], page, read);
    return {
      items: items.map((row) => serialize(SampleView, { relation: relationIn[scope], fields }, row)),
      ...cursors,
    };
  }

  async find(principal: Principal, id: string, fields?: readonly string[]): Promise<SampleView> {
    const row = await this.samples.find(principal, id);
    if (row === undefined) throw this.refusal(id, 'not-found');
    return serialize(SampleView, { relation: relationOf(sampleRelations, principal, row), fields }, row);
  }

  /** @throws Problem not-found, forbidden or precondition-failed, whichever is true for this caller. */
  update(principal: Principal, id: string, version: number, changes: UpdateSample): Promise<SampleView> {
    return this.database.transaction(async () => {
      const row = await this.samples.update(principal, { id, version }, changes);
      if (row === undefined) throw await this.explain(principal, id, samplePolicy.update(changes));
      await this.events.recordInTransaction(eventOf('sensitive_update', id, { fields: Object.keys(changes) }));
      return serialize(SampleView, { relation: relationOf(sampleRelations, principal, row) }, row);
    });
  }

  delete(principal: Principal, id: string, version: number): Promise<void> {
    return this.database.transaction(async () => {
      const deleted = await this.samples.delete(principal, { id, version });
      if (!deleted) throw await this.explain(principal, id, samplePolicy.delete);
      await this.events.recordInTransaction(eventOf('sensitive_delete', id));
    });
  }

  /** Why a statement touched nothing. No read right looks like an id that was never issued (abuse case A1-1). */
  private async explain(principal: Principal, id: string, policy: SamplePolicy): Promise<Problem> {
    const row = await this.samples.find(principal, id);
    if (row === undefined) return this.refusal(id, 'not-found');
    return policy.can(principal, row) ? new Problem('precondition-failed') : this.refusal(id, 'forbidden');
  }

  private refusal(id: string, type: 'not-found' | 'forbidden'): Problem {
    this.events.reportLater({ action: 'authz_fail', outcome: 'denied', target: { type: 'sample', id } });
    return new Problem(type);
  }
}

const eventOf = (
  action: 'sensitive_create' | 'sensitive_update' | 'sensitive_delete',
  id: string,
  details?: { fields: string[] },
): SecurityEvent => ({ action, outcome: 'success', target: { type: 'sample', id }, details });
