import { definePermissions, user } from '../../../src/common/access/permissions.js';
import { anyOf, isOnlyAbout, type ObjectPolicy } from '../../../src/common/access/policy.js';
import { Prisma } from '../../../src/generated/prisma/client.js';
import type { UpdateSample } from './samples.dto.js';

/** What the rules look at. */
export interface SampleFacts {
  readonly ownerId: string;
  readonly visibility: string;
  readonly editors: readonly string[];
  readonly viewers: readonly string[];
}

/** The conditions on a row, in the form that policies combine: see `conditionOf()`. */
interface Where {
  readonly OR?: Where[];
  readonly AND?: Where | Where[];
  readonly is?: Prisma.Sql;
}

export type SamplePolicy = ObjectPolicy<SampleFacts, Where>;

const owner: SamplePolicy = {
  can: ({ userId }, { ownerId }) => ownerId === userId,
  scope: ({ userId }) => ({ is: Prisma.sql`owner_id = ${userId}::uuid` }),
};

const editor: SamplePolicy = {
  can: ({ userId }, { editors }) => editors.includes(userId),
  scope: ({ userId }) => ({ is: Prisma.sql`${userId}::uuid = ANY (editors)` }),
};

/** Everybody with whom it is shared, editors too. */
const viewer: SamplePolicy = {
  can: ({ userId }, { editors, viewers }) => [...editors, ...viewers].includes(userId),
  scope: ({ userId }) => ({ is: Prisma.sql`${userId}::uuid = ANY (editors || viewers)` }),
};

/** Everybody who is signed in. */
const anyone: SamplePolicy = {
  can: (_, { visibility }) => visibility === 'public',
  scope: () => ({ is: Prisma.sql`visibility = 'public'` }),
};

export const sampleRelations = { owner, editor, viewer, public: anyone };

/** Who may do what with which sample. */
export const samplePolicy = {
  read: anyOf(owner, viewer, anyone),
  update: (changes: UpdateSample) => (isOnlyAbout(changes, ['title', 'note', 'rank']) ? anyOf(owner, editor) : owner),
  delete: owner,
};

export const samplePermissions = definePermissions('sample', {
  create: { objects: 'new', roles: [user] },
  read: { objects: 'samplePolicy.read', roles: [user] },
  update: { objects: 'samplePolicy.update', roles: [user] },
  delete: { objects: 'samplePolicy.delete', roles: [user] },
});

/** The condition as SQL. What says nothing lets no row pass. */
export function conditionOf({ OR = [], AND = [], is }: Where): Prisma.Sql {
  const parts = [...(is === undefined ? [] : [is]), ...[AND].flat().map(conditionOf)];
  if (OR.length > 0) parts.push(Prisma.join(OR.map(conditionOf), ' OR ', '(', ')'));
  return parts.length === 0 ? Prisma.sql`false` : Prisma.join(parts, ' AND ', '(', ')');
}
