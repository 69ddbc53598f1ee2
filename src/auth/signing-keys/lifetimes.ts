/** Short, because a token that leaks stays usable by the thief until it ends, or its session does. */
export const accessTokenTtlSeconds = 5 * 60;

/** How far the clocks of two instances may differ before a fresh token of the one is from the future for the other. */
export const clockSkewSeconds = 5;

/**
 * How often each instance looks at the table of signing keys: by then it knows of a change whose message did not come.
 */
export const lookEveryMs = 2_000;

/** By then every instance knows: three looks, so that one that fails does not count. A new key signs nothing before. */
export const knownEverywhereMs = 3 * lookEveryMs;

/** The last token of a retired key: signed by an instance that had not heard yet, and whose clock runs behind. */
export const retiredKeptMs = knownEverywhereMs + (accessTokenTtlSeconds + clockSkewSeconds) * 1000;
