import { Injectable } from '@nestjs/common';
import type { Principal } from '../common/principal.js';
import { Problem } from '../common/problem.js';
import { SecurityEvents } from '../common/security-events.js';
import { Database } from '../database/index.js';
import { resourceLimits } from './resource.limits.js';
import type { ShareListView, ShareRole, ShareView } from './resources.dto.js';
import { ResourcesRepository } from './resources.repository.js';

@Injectable()
export class SharesService {
  constructor(
    private readonly resources: ResourcesRepository,
    private readonly database: Database,
    private readonly events: SecurityEvents,
  ) {}

  async list(principal: Principal, id: string): Promise<ShareListView> {
    const owned = await this.resources.listShares(principal, id);
    if (owned === null) throw await this.explain(principal, id);
    return { items: owned.shares };
  }

  /** Gives or changes a share; acts on the other person's next request. */
  put(principal: Principal, id: string, grant: { userId: string; role: ShareRole }): Promise<ShareView> {
    const toOneself = grant.userId === principal.userId;
    return this.database.transaction(async () => {
      const resource = toOneself ? undefined : await this.resources.putShare(principal, id, grant).catch(unknownPerson);
      const [share] = resource?.shares ?? [];
      if (share === undefined) throw await this.explain(principal, id, new Problem('conflict', 'Owners have every right already.'));
      if ((await this.resources.countShares(principal, id)) > resourceLimits.sharesPerResource) throw tooMany();
      await this.record('share_granted', id, grant);
      return share;
    });
  }

  delete(principal: Principal, id: string, userId: string): Promise<void> {
    return this.database.transaction(async () => {
      if (!(await this.resources.deleteShare(principal, id, userId))) throw await this.explain(principal, id);
      await this.record('share_revoked', id, { userId });
    });
  }

  /** A reader who is not the owner learns that the right is missing; a stranger, that there is nothing. */
  private async explain(principal: Principal, id: string, toTheOwner = new Problem('not-found')): Promise<Problem> {
    const { reads, owns } = await this.resources.standing(principal, id);
    if (owns) return toTheOwner;
    this.events.report({ action: 'authz_fail', outcome: 'denied', target: { type: 'resource', id } });
    return new Problem(reads ? 'forbidden' : 'not-found');
  }

  private record(action: 'share_granted' | 'share_revoked', id: string, details: { userId: string; role?: string }): Promise<void> {
    return this.events.record({ action, outcome: 'success', target: { type: 'resource', id }, details: { ...details } });
  }
}

const tooMany = () =>
  new Problem('conflict', `The resource is shared with ${resourceLimits.sharesPerResource} people, which is the most: take one share away first.`);

/** The foreign key speaks: there is no such user. */
function unknownPerson(error: unknown): never {
  if ((error as { code?: unknown }).code === 'P2003') throw new Problem('not-found', undefined, { cause: error });
  throw error;
}
