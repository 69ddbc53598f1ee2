/** What the tests' key rings have keys for: all that field encryption needs, and one more. */
export const purposes = ['pii', 'jwt', 'blind-index', 'audit'] as const;
