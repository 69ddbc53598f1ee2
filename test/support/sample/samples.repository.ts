import { Injectable } from '@nestjs/common';
import type { Principal } from '../../../src/common/access/principal.js';
import type { Recording } from '../../../src/common/events/security-events.js';
import type { Keyset } from '../../../src/common/http/cursors.js';
import { Database, type Insertion } from '../../../src/database/index.js';
import { Prisma } from '../../../src/generated/prisma/client.js';
import { conditionOf, samplePolicy, sampleRelations, type SampleFacts } from './sample.policy.js';
import { relationIn, type CreateSample, type SampleView, type UpdateSample } from './samples.dto.js';

type SampleRow = SampleView & SampleFacts;

interface VersionedKey {
  readonly id: string;
  readonly version: number;
}

const columns = Prisma.sql`id, owner_id AS "ownerId", title, body, visibility, note, rank, place, editors, viewers,
  version, created_at AS "createdAt", updated_at AS "updatedAt"`;
const same = ['id', 'title', 'body', 'visibility', 'note', 'rank', 'place', 'editors', 'viewers', 'version'];
const returned = {
  ...Object.fromEntries(same.map((name) => [name, name])),
  ownerId: 'owner_id',
  createdAt: 'created_at',
  updatedAt: 'updated_at',
};

type NewSample = Omit<CreateSample, 'place'> & { id: string; place?: object | null };

/** Plain SQL: the table is none of the product's schema, so the client has no model of it. */
@Injectable()
export class SamplesRepository {
  constructor(private readonly database: Database) {}

  /** With what has to be written with it, and its event, by one statement. */
  create(
    { userId }: Principal,
    { id, title, body, visibility = 'private', note = null, rank = 0, place = null }: NewSample,
    also: readonly Insertion[],
    recording: Recording,
  ): Promise<SampleRow> {
    const columns = { id, owner_id: userId, title, body, visibility, note, rank, place };
    return this.database.insertAndRecord([{ table: 'samples', columns }, ...also], recording, returned);
  }

  async find(principal: Principal, id: string): Promise<SampleRow | undefined> {
    const where = conditionOf(samplePolicy.read.scope(principal));
    const [row] = await this.database.client.$queryRaw<SampleRow[]>`
      SELECT ${columns} FROM samples WHERE id = ${id}::uuid AND ${where}`;
    return row;
  }

  list(
    principal: Principal,
    { scope, q }: { scope: keyof typeof relationIn; q?: string },
    { id, order, take }: Keyset,
  ): Promise<SampleRow[]> {
    const where = [conditionOf(sampleRelations[relationIn[scope]].scope(principal))];
    if (id !== undefined) where.push('lt' in id ? Prisma.sql`id < ${id.lt}::uuid` : Prisma.sql`id > ${id.gt}::uuid`);
    if (q !== undefined) where.push(Prisma.sql`strpos(lower(title), lower(${q})) > 0`);
    return this.database.client.$queryRaw`
      SELECT ${columns} FROM samples WHERE ${Prisma.join(where, ' AND ')}
      ORDER BY id ${order === 'asc' ? Prisma.sql`ASC` : Prisma.sql`DESC`} LIMIT ${take}`;
  }

  /** @returns undefined when no sample has this id and version, or the policy refuses. */
  async update(
    principal: Principal,
    { id, version }: VersionedKey,
    changes: UpdateSample,
  ): Promise<SampleRow | undefined> {
    const { title, visibility, note, rank } = changes;
    const [row] = await this.database.client.$queryRaw<SampleRow[]>`
      UPDATE samples SET version = version + 1, updated_at = now(), title = coalesce(${title ?? null}, title),
        visibility = coalesce(${visibility ?? null}, visibility), rank = coalesce(${rank ?? null}::integer, rank),
        note = CASE WHEN ${note === undefined} THEN note ELSE ${note ?? null} END
      WHERE id = ${id}::uuid AND version = ${version} AND ${conditionOf(samplePolicy.update(changes).scope(principal))}
      RETURNING ${columns}`;
    return row;
  }

  async delete(principal: Principal, { id, version }: VersionedKey): Promise<boolean> {
    const where = conditionOf(samplePolicy.delete.scope(principal));
    const count = await this.database.client.$executeRaw`
      DELETE FROM samples WHERE id = ${id}::uuid AND version = ${version} AND ${where}`;
    return count === 1;
  }
}
