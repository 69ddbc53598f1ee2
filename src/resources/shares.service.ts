import { Injectable } from '@nestjs/common';
import type { Principal } from '../common/access/principal.js';
import { Problem } from '../common/http/problem.js';
import { type DeclaredAction, defineAction, SecurityEvents } from '../common/events/security-events.js';
import { Database } from '../database/index.js';
import { resourceLimits } from './resource.limits.js';
import { resourcePolicy } from './resource.policy.js';
import type { ShareListView, ShareView } from './resources.dto.js';
import { ResourcesService } from './resources.service.js';
import { SharesRepository, type Grant } from './shares.repository.js';

const shareGranted = defineAction('share_granted');

const shareRevoked = defineAction('share_revoked');

/** With whom resources are shared. Shares begin with an invitation that was accepted. */
@Injectable()
export class SharesService {
  constructor(
    private readonly shares: SharesRepository,
    private readonly resources: ResourcesService,
    private readonly database: Database,
    private readonly events: SecurityEvents,
  ) {}

  async list(principal: Principal, id: string): Promise<ShareListView> {
    const owned = await this.shares.list(principal, id);
    if (owned === null) throw await this.refusal(principal, id);
    return { items: owned.shares };
  }

  /** Changes a share; acts on the other person's next request. */
  changeRole(principal: Principal, id: string, grant: Grant): Promise<ShareView> {
    return this.database.transaction(async () => {
      const share = await this.shares.changeRole(principal, id, grant);
      if (share === undefined) throw await this.refusal(principal, id);
      await this.record(shareGranted, id, grant);
      return share;
    });
  }

  delete(principal: Principal, id: string, userId: string): Promise<void> {
    return this.database.transaction(async () => {
      if (!(await this.shares.delete(principal, id, userId))) throw await this.refusal(principal, id);
      await this.record(shareRevoked, id, { userId });
    });
  }

  /**
   * Asked before an owner offers a share: holds the resource until the transaction ends.
   * @throws Problem forbidden or not-found for everybody but the owner.
   */
  async holdOwned(principal: Principal, id: string): Promise<void> {
    await this.expectOwner(principal, id);
    if ((await this.shares.hold(id)) !== principal.userId) throw await this.refusal(principal, id);
  }

  /** @throws Problem forbidden or not-found for everybody but the owner. */
  async expectOwner(principal: Principal, id: string): Promise<void> {
    const refusal = await this.resources.explain(principal, id, resourcePolicy.share);
    if (refusal !== undefined) throw refusal;
  }

  /**
   * Gives the caller the share that was offered; part of the transaction that uses up the offer.
   * @param use uses it up, and says which role it gives; asked when the owner can change nothing more.
   * @throws Problem conflict for the owner, and when the resource has as many shares as it may have; not-found when it
   * is gone.
   */
  async accept({ userId }: Principal, resourceId: string, use: () => Promise<Grant['role']>): Promise<ShareView> {
    const owner = await this.shares.hold(resourceId);
    if (owner === undefined) throw new Problem('not-found');
    if (owner === userId) throw new Problem('conflict', 'Owners have every right already.');
    const role = await use();
    const share = await this.shares.grant(resourceId, { userId, role });
    if ((await this.shares.count(resourceId)) > resourceLimits.sharesPerResource) throw tooMany();
    await this.record(shareGranted, resourceId, { userId, role });
    return share;
  }

  /** A reader who is not the owner learns that the right is missing; a stranger, that there is nothing. */
  async refusal(principal: Principal, id: string): Promise<Problem> {
    return (await this.resources.explain(principal, id, resourcePolicy.share)) ?? new Problem('not-found');
  }

  private record(action: DeclaredAction, id: string, details: { userId: string; role?: string }): Promise<void> {
    return this.events.recordInTransaction({
      action,
      outcome: 'success',
      target: { type: 'resource', id },
      details: { ...details },
    });
  }
}

const tooMany = () =>
  new Problem(
    'conflict',
    `The resource is shared with ${resourceLimits.sharesPerResource} people, which is the most: ` +
      'one share has to go first.',
  );
