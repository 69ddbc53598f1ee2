const day = 24 * 60 * 60 * 1000;

/** How much mail invitations may cause, and how long they are kept. What one sender may is in security/rate-limiting/limits.ts. */
export const invitationLimits = {
  ttlMs: 14 * day,
  /** Inviting the same person again within this time changes the invitation, and sends nothing. */
  mailAgainAfterMs: day,
  /** From all senders together (abuse case A6-2). */
  mailsPerMailboxAndDay: 10,
  /** A mailbox that nobody invites is forgotten. Longer than any invitation lives; until then the mail's token stops further mail. */
  mailboxKeptMs: 30 * day,
  /** Bounded, because somebody waits for the answer. */
  sweptAtOnce: 50,
  /** More than one sender can have open: 20 a day for 14 days. */
  openPerResource: 300,
  /** They come from anybody, so an export holds the newest of them only. */
  receivedInExport: 10_000,
} as const;
