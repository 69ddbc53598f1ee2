import { defineRateLimits, hour } from '../common/http/rate-limit.js';

const day = 24 * 60 * 60 * 1000;

/**
 * How much mail invitations may cause, and how long they are kept. What one sender may, and one network, is
 * below.
 */
export const invitationLimits = {
  ttlMs: 14 * day,
  /** Inviting the same person again within this time changes the invitation, and sends nothing. */
  mailAgainAfterMs: day,
  /** From all senders together (abuse case A6-2). */
  mailsPerMailboxAndDay: 10,
  /**
   * A mailbox that nobody invites is forgotten. Longer than any invitation lives; until then the mail's token stops
   * further mail.
   */
  mailboxKeptMs: 30 * day,
  /** Bounded, because somebody waits for the answer. */
  sweptAtOnce: 50,
  /** More than one sender can have open: 20 a day for 14 days. */
  openPerResource: 300,
  /** They come from anybody, so an export holds the newest of them only. */
  receivedInExport: 10_000,
} as const;

/**
 * For the route that invites. Each invitation may send mail to a stranger (A6-2); what one address gets from everybody
 * together is bounded above, where it is not told.
 */
export const inviteLimits = defineRateLimits('invite', [
  { name: 'invite-network', requests: 100, windowSeconds: hour, per: 'network' },
  { name: 'invite', requests: 20, windowSeconds: 24 * hour, per: 'user' },
  { name: 'invite-address', requests: 3, windowSeconds: 24 * hour, per: 'user and account' },
]);
