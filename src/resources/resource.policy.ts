import { anyOf, type ObjectPolicy } from '../common/policy.js';
import type { Prisma } from '../generated/prisma/client.js';

/** What the rules look at. */
export interface ResourceFacts {
  readonly ownerId: string;
  readonly visibility: string;
  /** Those of the caller suffice. */
  readonly shares: readonly { readonly userId: string; readonly role: string }[];
}

export type ResourcePolicy = ObjectPolicy<ResourceFacts, Prisma.ResourceWhereInput>;

const owner: ResourcePolicy = {
  can: ({ userId }, { ownerId }) => ownerId === userId,
  scope: ({ userId }) => ({ ownerId: userId }),
};

const editor: ResourcePolicy = {
  can: ({ userId }, { shares }) => shares.some((share) => share.userId === userId && share.role === 'editor'),
  scope: ({ userId }) => ({ shares: { some: { userId, role: 'editor' } } }),
};

/** Everybody with whom it is shared, editors too. */
const viewer: ResourcePolicy = {
  can: ({ userId }, { shares }) => shares.some((share) => share.userId === userId),
  scope: ({ userId }) => ({ shares: { some: { userId } } }),
};

/** Everybody who is signed in. */
const anyone: ResourcePolicy = {
  can: (_, { visibility }) => visibility === 'public',
  scope: () => ({ visibility: 'public' }),
};

/** How people stand to a resource: what `readableBy` and `@WritableBy()` speak of. */
export const resourceStandings = { owner, editor, viewer, public: anyone };

/** Who may do what with which resource. */
export const resourcePolicy = {
  read: anyOf(owner, viewer, anyone),
  update: anyOf(owner, editor),
  delete: owner,
  share: owner,
};
