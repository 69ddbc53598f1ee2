import type { Principal } from '../common/principal.js';

// Who may do what with which resource: each rule is the `where` of the statement that acts, so that there is nothing to
// forget and no moment between check and act (ASVS v5.0.0-8.2.2, 15.4.2).

/** Owners, everybody whom they share it with, and for public resources everybody who is signed in. */
export const readable = ({ userId }: Principal) => ({
  OR: [{ ownerId: userId }, { visibility: 'public' }, { shares: { some: { userId } } }],
});

/** Owners and editors. */
export const updatable = ({ userId }: Principal) => ({
  OR: [{ ownerId: userId }, { shares: { some: { userId, role: 'editor' } } }],
});

/** Owners alone: delete, share, unshare, see with whom it is shared. */
export const owned = ({ userId }: Principal) => ({ ownerId: userId });

/** The note is personal data: owners and editors read it, viewers and the public do not (ASVS v5.0.0-8.2.3). */
export const mayReadNote = ({ userId }: Principal, resource: { ownerId: string; shares: readonly { role: string }[] }): boolean =>
  resource.ownerId === userId || resource.shares.some(({ role }) => role === 'editor');
