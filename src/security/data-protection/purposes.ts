/** What a key is for. Purposes never share a key: a leak or a mistake in one stays in it (SP 800-57 part 1 s5.2). */
export const purposes = ['pii', 'blind-index', 'jwt', 'refresh-token', 'one-time-token', 'known-device', 'audit', 'rate-limit', 'authority'] as const;

export type Purpose = (typeof purposes)[number];
