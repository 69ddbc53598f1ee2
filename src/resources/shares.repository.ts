import { Injectable } from '@nestjs/common';
import type { Principal } from '../common/access/principal.js';
import { Database } from '../database/index.js';
import { resourcePolicy } from './resource.policy.js';
import type { ShareRole } from './resources.dto.js';

const share = { userId: true, role: true, createdAt: true } as const;

/** Who has which role. */
export interface Grant {
  readonly userId: string;
  readonly role: ShareRole;
}

@Injectable()
export class SharesRepository {
  constructor(private readonly database: Database) {}

  list(principal: Principal, id: string) {
    return this.database.client.resource.findFirst({
      where: { id, AND: resourcePolicy.share.scope(principal) },
      select: { shares: { select: share, orderBy: { userId: 'asc' } } },
    });
  }

  /** Never makes a share: nobody is handed one without having accepted. */
  async changeRole(principal: Principal, id: string, { userId, role }: Grant) {
    const where = { resourceId: id, userId, resource: resourcePolicy.share.scope(principal) };
    return (await this.database.client.resourceShare.updateManyAndReturn({ where, data: { role }, select: share })).at(
      0,
    );
  }

  async delete(principal: Principal, id: string, userId: string): Promise<boolean> {
    const where = { resourceId: id, userId, resource: resourcePolicy.share.scope(principal) };
    return (await this.database.client.resourceShare.deleteMany({ where })).count === 1;
  }

  /**
   * Makes the other transactions that share the resource wait until this one ends, so that shares can be counted.
   * @returns the owner; undefined when it is gone.
   */
  async hold(id: string): Promise<string | undefined> {
    const rows = await this.database.client.$queryRaw<{ ownerId: string }[]>`
      SELECT owner_id::text AS "ownerId" FROM resources WHERE id = ${id}::uuid FOR NO KEY UPDATE`;
    return rows[0]?.ownerId;
  }

  grant(resourceId: string, { userId, role }: Grant) {
    const where = { resourceId_userId: { resourceId, userId } };
    return this.database.client.resourceShare.upsert({
      where,
      create: { resourceId, userId, role },
      update: { role },
      select: share,
    });
  }

  count(resourceId: string): Promise<number> {
    return this.database.client.resourceShare.count({ where: { resourceId } });
  }
}
