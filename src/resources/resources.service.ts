import { randomUUIDv7 } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Cursors } from '../common/http/cursors.js';
import { relationOf } from '../common/access/policy.js';
import type { Principal } from '../common/access/principal.js';
import { Problem } from '../common/http/problem.js';
import { SecurityEvents, type SecurityEvent } from '../common/events/security-events.js';
import { serialize } from '../common/http/view.js';
import { Database } from '../database/index.js';
import { Idempotency, type IdempotentRequest } from '../idempotency/index.js';
import { resourcePolicy, resourceRelations, type ResourcePolicy } from './resource.policy.js';
import {
  relationIn,
  type CreateResource,
  type ListResources,
  type ResourceListView,
  ResourceView,
  type UpdateResource,
} from './resources.dto.js';
import { isQuotaReached, ResourcesRepository } from './resources.repository.js';

@Injectable()
export class ResourcesService {
  constructor(
    private readonly resources: ResourcesRepository,
    private readonly database: Database,
    private readonly events: SecurityEvents,
    private readonly cursors: Cursors,
    private readonly idempotency: Idempotency,
  ) {}

  /**
   * @throws Problem conflict when the caller has as many as allowed: nobody fills the database, or an export, alone
   * (OWASP API4).
   */
  async create(principal: Principal, body: CreateResource, headers: IdempotentRequest): Promise<ResourceView> {
    // Made here, because the event that names it is written by the same statement.
    const id = randomUUIDv7();
    const recording = this.events.recording(eventOf('sensitive_create', id));
    const made = this.idempotency.once(principal, {
      route: 'POST /v1/resources',
      headers,
      body,
      id,
      make: (claims) => this.resources.create(principal, { ...body, id }, claims, recording),
      find: (earlier) => this.resources.find(principal, earlier),
    });
    const resource = await made.catch((error: unknown) => {
      throw isQuotaReached(error) ? full(this.resources.quota, error) : error;
    });
    return serialize(ResourceView, { relation: 'owner' }, resource);
  }

  async list(principal: Principal, { scope = 'owned', q, fields, ...page }: ListResources): Promise<ResourceListView> {
    const read = this.resources.list.bind(this.resources, principal, scope, { q, fields });
    const { items, ...cursors } = await this.cursors.page(principal, ['resources', scope, q ?? ''], page, read);
    return {
      items: items.map((row) => serialize(ResourceView, { relation: relationIn[scope], fields }, row)),
      ...cursors,
    };
  }

  async find(principal: Principal, id: string, fields?: readonly string[]): Promise<Partial<ResourceView>> {
    const resource = await this.resources.find(principal, id, fields);
    if (resource === null) throw this.refusal(id, 'not-found');
    return serialize(ResourceView, { relation: relationOf(resourceRelations, principal, resource), fields }, resource);
  }

  /** @throws Problem not-found, forbidden or precondition-failed, whichever is true for this caller. */
  update(principal: Principal, id: string, version: number, changes: UpdateResource): Promise<ResourceView> {
    return this.database.transaction(async () => {
      const updated = await this.resources.update(principal, { id, version }, changes);
      if (updated === undefined)
        throw (await this.explain(principal, id, resourcePolicy.update(changes))) ?? new Problem('precondition-failed');
      await this.events.recordInTransaction(eventOf('sensitive_update', id, { fields: Object.keys(changes) }));
      return serialize(ResourceView, { relation: relationOf(resourceRelations, principal, updated) }, updated);
    });
  }

  delete(principal: Principal, id: string, version: number): Promise<void> {
    return this.database.transaction(async () => {
      const deleted = await this.resources.delete(principal, { id, version });
      if (!deleted)
        throw (await this.explain(principal, id, resourcePolicy.delete)) ?? new Problem('precondition-failed');
      await this.events.recordInTransaction(eventOf('sensitive_delete', id));
    });
  }

  /**
   * Why the caller may not; undefined when the policy is not why. No read right looks like an id that was never issued
   * (abuse case A1-1).
   */
  async explain(principal: Principal, id: string, policy: ResourcePolicy): Promise<Problem | undefined> {
    const facts = await this.resources.facts(principal, id);
    if (facts === null) return this.refusal(id, 'not-found');
    return policy.can(principal, facts) ? undefined : this.refusal(id, 'forbidden');
  }

  private refusal(id: string, type: 'not-found' | 'forbidden'): Problem {
    this.events.reportLater({ action: 'authz_fail', outcome: 'denied', target: { type: 'resource', id } });
    return new Problem(type);
  }
}

const eventOf = (
  action: 'sensitive_create' | 'sensitive_update' | 'sensitive_delete',
  id: string,
  details?: { fields: string[] },
): SecurityEvent => ({
  action,
  outcome: 'success',
  target: { type: 'resource', id },
  details,
});

const full = (quota: number, cause: unknown) =>
  new Problem('conflict', `You have ${quota} resources, which is the most: delete one first.`, { cause });
