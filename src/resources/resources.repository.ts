import { Injectable } from '@nestjs/common';
import type { Principal } from '../common/principal.js';
import { Database } from '../database/index.js';
import { resourceLimits } from './resource.limits.js';
import { owned, readable, updatable } from './resource.policy.js';
import type { CreateResource, ShareRole, UpdateResource } from './resources.dto.js';

const columns = {
  id: true,
  ownerId: true,
  title: true,
  body: true,
  visibility: true,
  version: true,
  createdAt: true,
  updatedAt: true,
} as const;
const whole = { ...columns, note: true } as const;
const share = { userId: true, role: true, createdAt: true } as const;

/** `before` is the id of the last item of the page before. */
export interface Page {
  readonly limit: number;
  readonly before: string | undefined;
}

@Injectable()
export class ResourcesRepository {
  constructor(private readonly database: Database) {}

  /** Refused at the commit when the owner then has more than `ownerQuota`; see `isQuotaReached()`. */
  create({ userId }: Principal, { id, title, body, visibility, note }: CreateResource & { id: string }, ownerQuota: number) {
    return this.database.client.resource.create({ data: { id, ownerId: userId, title, body, visibility, note, ownerQuota }, select: whole });
  }

  find(principal: Principal, id: string) {
    return this.database.client.resource.findFirst({
      where: { id, AND: readable(principal) },
      select: { ...whole, shares: { where: { userId: principal.userId }, select: { role: true } } },
    });
  }

  listOwned(principal: Principal, page: Page) {
    return this.database.client.resource.findMany({ where: { ...owned(principal), ...after(page) }, ...newestFirst(page), select: whole });
  }

  /** Without notes: whoever only reads has no right to them, so they are not even opened. */
  listPublic(_: Principal, page: Page) {
    return this.database.client.resource.findMany({ where: { visibility: 'public', ...after(page) }, ...newestFirst(page), select: columns });
  }

  async listShared({ userId }: Principal, { limit, before }: Page) {
    const rows = await this.database.client.resourceShare.findMany({
      where: { userId, ...(before === undefined ? {} : { resourceId: { lt: before } }) },
      orderBy: { resourceId: 'desc' },
      take: limit,
      select: { resource: { select: columns } },
    });
    return rows.map(({ resource }) => resource);
  }

  /** @returns undefined when no resource has this id and version, or the caller may not update it. */
  update(principal: Principal, key: VersionedKey, { title, body, visibility, note }: UpdateResource) {
    return orUndefined(
      this.database.client.resource.update({
        where: { ...key, AND: updatable(principal) },
        data: { title, body, visibility, note, version: { increment: 1 } },
        select: { ...whole, shares: { where: { userId: principal.userId }, select: { role: true } } },
      }),
    );
  }

  async delete(principal: Principal, key: VersionedKey): Promise<boolean> {
    const { count } = await this.database.client.resource.deleteMany({ where: { ...key, ...owned(principal) } });
    return count === 1;
  }

  listShares(principal: Principal, id: string) {
    return this.database.client.resource.findFirst({
      where: { id, ...owned(principal) },
      select: { shares: { select: share, orderBy: { userId: 'asc' } } },
    });
  }

  /** The share hangs on an update of the owner's resource: whoever does not own it updates nothing. */
  putShare(principal: Principal, id: string, grant: { userId: string; role: ShareRole }) {
    const { userId, role } = grant;
    const upsert = { where: { resourceId_userId: { resourceId: id, userId } }, create: grant, update: { role } };
    return orUndefined(
      this.database.client.resource.update({
        where: { id, ...owned(principal) },
        data: { shares: { upsert } },
        select: { shares: { where: { userId }, select: share } },
      }),
    );
  }

  /** Makes the other statements that share the resource wait until the running transaction ends, so that they can be counted. */
  async countShares({ userId }: Principal, id: string): Promise<number> {
    await this.database.client.$queryRaw`
      SELECT FROM resources WHERE id = ${id}::uuid AND owner_id = ${userId}::uuid FOR NO KEY UPDATE`;
    return this.database.client.resourceShare.count({ where: { resourceId: id } });
  }

  async deleteShare(principal: Principal, id: string, userId: string): Promise<boolean> {
    const { count } = await this.database.client.resourceShare.deleteMany({
      where: { resourceId: id, userId, resource: owned(principal) },
    });
    return count === 1;
  }

  /** For the export of personal data: all of it, page by page, with whom it is shared. */
  async exportOwned(principal: Principal) {
    const all = [];
    for (let before: string | undefined; ; ) {
      const page = { limit: 500, before };
      const select = { ...whole, shares: { select: share } };
      const rows = await this.database.client.resource.findMany({ where: { ...owned(principal), ...after(page) }, ...newestFirst(page), select });
      all.push(...rows);
      before = rows.at(-1)?.id;
      if (rows.length < page.limit) return all;
    }
  }

  exportReceived({ userId }: Principal) {
    return this.database.client.resourceShare.findMany({
      where: { userId },
      orderBy: { resourceId: 'desc' },
      take: resourceLimits.receivedSharesInExport,
      select: { resourceId: true, role: true, createdAt: true },
    });
  }

  /** How far the caller's rights go on an object, to tell 404 from 403 after a statement that touched nothing. */
  async standing(principal: Principal, id: string): Promise<{ reads: boolean; updates: boolean; owns: boolean }> {
    const row = await this.database.client.resource.findFirst({
      where: { id, AND: readable(principal) },
      select: { ownerId: true, shares: { where: { userId: principal.userId, role: 'editor' }, select: { role: true } } },
    });
    const owns = row?.ownerId === principal.userId;
    return { reads: row !== null, updates: owns || (row?.shares.length ?? 0) > 0, owns };
  }
}

interface VersionedKey {
  readonly id: string;
  readonly version: number;
}

// Newest first: ids are UUIDv7, so the primary key is the order, and a page costs the same at any depth.
const newestFirst = ({ limit }: Page) => ({ orderBy: { id: 'desc' as const }, take: limit });
const after = ({ before }: Page) => (before === undefined ? {} : { id: { lt: before } });

/** What the trigger resources_owner_quota says at the commit, which Prisma hands on as the driver's error. */
export const isQuotaReached = (error: unknown): boolean => {
  const { cause } = error as { cause?: { code?: unknown } };
  return cause?.code === 'QUOTA';
};

/** Prisma's word for "the where matched no row". */
const orUndefined = async <T>(statement: PromiseLike<T>): Promise<T | undefined> => {
  try {
    return await statement;
  } catch (error) {
    if ((error as { code?: unknown }).code === 'P2025') return undefined;
    throw error;
  }
};
