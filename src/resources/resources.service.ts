import { randomUUIDv7 } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import type { Principal } from '../common/principal.js';
import { Problem } from '../common/problem.js';
import { SecurityEvents, type SecurityAction, type SecurityEvent } from '../common/security-events.js';
import { CONFIG, type Config } from '../config/index.js';
import { Database } from '../database/index.js';
import { resourceLimits } from './resource.limits.js';
import { mayReadNote } from './resource.policy.js';
import type { CreateResource, ListResources, ResourceListView, ResourceView, UpdateResource } from './resources.dto.js';
import { isQuotaReached, ResourcesRepository } from './resources.repository.js';

@Injectable()
export class ResourcesService {
  constructor(
    private readonly resources: ResourcesRepository,
    private readonly database: Database,
    private readonly events: SecurityEvents,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** @throws Problem conflict when the caller has as many as allowed: nobody fills the database, or an export, alone (OWASP API4). */
  create(principal: Principal, resource: CreateResource): Promise<ResourceView> {
    const quota = resourceLimits.resourcesPerOwner * this.config.rateLimitScale;
    // Made here, because the event that names it is written in the same batch.
    const id = randomUUIDv7();
    const event = this.events.recording(eventOf('sensitive_create', id));
    const work = this.database.together(() => this.resources.create(principal, { ...resource, id }, quota), event);
    return work.catch((error: unknown) => {
      throw isQuotaReached(error) ? full(quota, error) : error;
    });
  }

  async list(principal: Principal, { scope = 'owned', limit = 20, cursor }: ListResources): Promise<ResourceListView> {
    const page = { limit: limit + 1, before: cursor };
    const rows = await this.listOf(principal, scope, page);
    const items = rows.slice(0, limit);
    return { items, nextCursor: rows.length > limit ? (items.at(-1)?.id ?? null) : null };
  }

  async find(principal: Principal, id: string): Promise<ResourceView> {
    const resource = await this.resources.find(principal, id);
    if (resource === null) throw this.refusal(id);
    return withoutHiddenNote(principal, resource);
  }

  /** @throws Problem not-found, forbidden or precondition-failed, whichever is true for this caller. */
  update(principal: Principal, id: string, version: number, changes: UpdateResource): Promise<ResourceView> {
    return this.database.transaction(async () => {
      const updated = await this.resources.update(principal, { id, version }, changes);
      if (updated === undefined) throw await this.explain(principal, id, 'updates');
      await this.record('sensitive_update', id, { fields: Object.keys(changes) });
      return withoutHiddenNote(principal, updated);
    });
  }

  delete(principal: Principal, id: string, version: number): Promise<void> {
    return this.database.transaction(async () => {
      if (!(await this.resources.delete(principal, { id, version }))) throw await this.explain(principal, id, 'owns');
      await this.record('sensitive_delete', id);
    });
  }

  private listOf(principal: Principal, scope: NonNullable<ListResources['scope']>, page: { limit: number; before: string | undefined }) {
    if (scope === 'shared') return this.resources.listShared(principal, page);
    return scope === 'public' ? this.resources.listPublic(principal, page) : this.resources.listOwned(principal, page);
  }

  /** Why a statement touched nothing. No read right looks like an id that was never issued (abuse case A1-1). */
  private async explain(principal: Principal, id: string, right: 'updates' | 'owns'): Promise<Problem> {
    const standing = await this.resources.standing(principal, id);
    if (!standing.reads) return this.refusal(id);
    return standing[right] ? new Problem('precondition-failed') : this.refusal(id, 'forbidden');
  }

  private refusal(id: string, type: 'not-found' | 'forbidden' = 'not-found'): Problem {
    this.events.report({ action: 'authz_fail', outcome: 'denied', target: { type: 'resource', id } });
    return new Problem(type);
  }

  private record(action: SecurityAction, id: string, details?: { fields: string[] }): Promise<void> {
    return this.events.record(eventOf(action, id, details));
  }
}

const eventOf = (action: SecurityAction, id: string, details?: { fields: string[] }): SecurityEvent => ({
  action,
  outcome: 'success',
  target: { type: 'resource', id },
  details,
});

const full = (quota: number, cause: unknown) =>
  new Problem('conflict', `You have ${quota} resources, which is the most: delete one first.`, { cause });

function withoutHiddenNote<R extends { ownerId: string; note: string | null; shares: readonly { role: string }[] }>(
  principal: Principal,
  resource: R,
): Omit<R, 'note'> & { note?: string | null } {
  const { note, ...rest } = resource;
  return mayReadNote(principal, resource) ? { ...rest, note } : rest;
}
