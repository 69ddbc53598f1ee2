import { definePermissions, user } from '../common/access/permissions.js';
import { anyOf, isOnlyAbout, type ObjectPolicy } from '../common/access/policy.js';
import type { Prisma } from '../generated/prisma/client.js';
import type { UpdateResource } from './resources.dto.js';

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

/** How people stand to a resource: what `readableBy` speaks of. */
export const resourceRelations = { owner, editor, viewer, public: anyone };

/** Who may do what with which resource. */
export const resourcePolicy = {
  read: anyOf(owner, viewer, anyone),
  /** What an editor may write stands here; all else, such as who sees the resource, is the owner's. */
  update: (changes: UpdateResource) => (isOnlyAbout(changes, ['title', 'body', 'note']) ? anyOf(owner, editor) : owner),
  delete: owner,
  share: owner,
};

export const resourcePermissions = definePermissions('resource', {
  create: { objects: 'new', roles: [user] },
  read: { objects: 'resourcePolicy.read', roles: [user] },
  update: { objects: 'resourcePolicy.update', roles: [user] },
  delete: { objects: 'resourcePolicy.delete', roles: [user] },
  share: { objects: 'resourcePolicy.share', roles: [user] },
});
