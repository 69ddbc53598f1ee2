import { Inject, Injectable } from '@nestjs/common';
import type { Keyset } from '../common/http/cursors.js';
import type { Principal } from '../common/access/principal.js';
import { containing } from '../common/http/search.js';
import { selectionOf } from '../common/http/selection.js';
import { CONFIG, type Config } from '../config/index.js';
import type { Recording } from '../common/events/security-events.js';
import { Database, sqlStateOf, type Insertion } from '../database/index.js';
import { resourceLimits } from './resource.limits.js';
import { resourcePolicy, resourceRelations } from './resource.policy.js';
import { ResourceView, relationIn, type CreateResource, type ListScope, type UpdateResource } from './resources.dto.js';

const whole = selectionOf(ResourceView);

/** What the database fills in. */
type Filled = Pick<ResourceView, 'version' | 'createdAt' | 'updatedAt'>;
const columnsOfFilled = { version: 'version', createdAt: 'created_at', updatedAt: 'updated_at' } as const;

/** What the policies look at. */
const factsFor = ({ userId }: Principal) =>
  ({
    id: true,
    version: true,
    ownerId: true,
    visibility: true,
    shares: { where: { userId }, select: { userId: true, role: true } },
  }) as const;

@Injectable()
export class ResourcesRepository {
  /** How many resources one person may have. */
  readonly quota: number;

  constructor(
    private readonly database: Database,
    @Inject(CONFIG) config: Config,
  ) {
    this.quota = resourceLimits.resourcesPerOwner * config.rateLimitScale;
  }

  /**
   * With its claims and its event, by one statement; refused when the owner then has more than the quota, see
   * `isQuotaReached()`.
   */
  async create(
    { userId }: Principal,
    { id, title, body, visibility = 'private', note = null }: CreateResource & { id: string },
    claims: readonly Insertion[],
    recording: Recording,
  ) {
    const given = { id, ownerId: userId, title, body, visibility: visibility as string, note };
    const row: Insertion = { model: 'Resource', data: { ...given, ownerQuota: this.quota } };
    const filled = await this.database.insertAndRecord<Filled>([row, ...claims], recording, columnsOfFilled);
    return { ...given, ...filled };
  }

  find(principal: Principal, id: string, fields?: readonly string[]) {
    return this.database.client.resource.findFirst({
      where: { id, AND: resourcePolicy.read.scope(principal) },
      select: { ...selectionOf(ResourceView, { fields }), ...factsFor(principal) },
    });
  }

  async list(
    principal: Principal,
    scope: ListScope,
    { q, fields }: { q?: string; fields?: readonly string[] },
    { id, order, take }: Keyset,
  ) {
    const select = { ...selectionOf(ResourceView, { fields, relation: relationIn[scope] }), id: true } as const;
    const matches = q === undefined ? {} : { title: containing(q) };
    if (scope !== 'shared') {
      const where = { id, ...matches, AND: resourceRelations[relationIn[scope]].scope(principal) };
      return this.database.client.resource.findMany({ where, orderBy: { id: order }, take, select });
    }
    // Along the caller's shares: along the resources, the database would pass those of everybody else.
    const where = { userId: principal.userId, resourceId: id, ...(q === undefined ? {} : { resource: matches }) };
    const rows = await this.database.client.resourceShare.findMany({
      where,
      orderBy: { resourceId: order },
      take,
      select: { resource: { select } },
    });
    return rows.map(({ resource }) => resource);
  }

  /**
   * The changes that are written are those that the policy was asked about.
   * @returns undefined when no resource has this id and version, or the policy refuses.
   */
  update(principal: Principal, key: VersionedKey, changes: UpdateResource) {
    const { title, body, visibility, note } = changes;
    return orUndefined(
      this.database.client.resource.update({
        where: { ...key, AND: resourcePolicy.update(changes).scope(principal) },
        data: { title, body, visibility, note, version: { increment: 1 } },
        select: { ...whole, ...factsFor(principal) },
      }),
    );
  }

  async delete(principal: Principal, key: VersionedKey): Promise<boolean> {
    const { count } = await this.database.client.resource.deleteMany({
      where: { ...key, AND: resourcePolicy.delete.scope(principal) },
    });
    return count === 1;
  }

  /**
   * For telling why a statement touched nothing. What the caller may not read is not found, by the same statement as an
   * id that was never issued: to look for its shares first would take longer, and tell that it is there (abuse case
   * A1-1).
   */
  facts(principal: Principal, id: string) {
    return this.database.client.resource.findFirst({
      where: { id, AND: resourcePolicy.read.scope(principal) },
      select: factsFor(principal),
    });
  }

  /** For the export of personal data: with whom it is shared. */
  exportOwned(principal: Principal, { id, order, take }: Keyset) {
    const select = { ...whole, shares: { select: { userId: true, role: true, createdAt: true } } } as const;
    return this.database.client.resource.findMany({
      where: { id, AND: resourceRelations.owner.scope(principal) },
      orderBy: { id: order },
      take,
      select,
    });
  }

  async exportReceived({ userId }: Principal, { id, order, take }: Keyset) {
    const select = { resourceId: true, role: true, createdAt: true } as const;
    const rows = await this.database.client.resourceShare.findMany({
      where: { userId, resourceId: id },
      orderBy: { resourceId: order },
      take,
      select,
    });
    return rows.map((row) => ({ ...row, id: row.resourceId }));
  }
}

interface VersionedKey {
  readonly id: string;
  readonly version: number;
}

/** What the trigger resources_owner_quota says. */
export const isQuotaReached = (error: unknown): boolean => sqlStateOf(error) === 'QUOTA';

/** Prisma's word for "the where matched no row". */
const orUndefined = async <T>(statement: PromiseLike<T>): Promise<T | undefined> => {
  try {
    return await statement;
  } catch (error) {
    if ((error as { code?: unknown }).code === 'P2025') return undefined;
    throw error;
  }
};
