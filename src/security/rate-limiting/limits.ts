import type { MachineTier } from '../../common/access/principal.js';
import { defineLimit, minute, type Limit } from '../../common/http/rate-limit.js';

// What counts for every caller. Features declare the limits of their own routes: defineRateLimits() in common/http.

/**
 * What RATE_LIMIT_SCALE multiplies. Never what bounds guesses at one account, mails to it or copies of it: an office is
 * no reason for those.
 */
export const isLoad = ({ name, per, byDay }: Limit): boolean =>
  per === 'network' || per === 'accounts of network' || per === 'machine' || name === 'user' || byDay === true;

/** Asked after authentication, because only then there is a caller to count by. */
export const isOfCaller = ({ per }: Limit): boolean => callers.has(per);

const callers: ReadonlySet<Limit['per']> = new Set(['user', 'session', 'machine', 'due factor', 'user and account']);

/**
 * Asked first, for every request over HTTPS and plain HTTP: unknown routes, broken bodies, what the HTTP parser
 * refuses. Bounds what one network can make the service do at all, so that parsing, refusing and verifying forged
 * tokens stay cheap.
 */
export const everyRequest = defineLimit({
  name: 'network',
  requests: 1200,
  windowSeconds: minute,
  per: 'network',
});

/**
 * The same for the internal listener, apart: a flood on the public side must not keep an orchestrator from asking
 * whether the service lives.
 */
export const internalRequest = defineLimit({
  name: 'internal',
  requests: 1200,
  windowSeconds: minute,
  per: 'network',
});

/**
 * Guests get less than people who are signed in (practice 4.2). For ordinary routes alone, the others have a limit per
 * network of their own: else one who fetches pages in a loop keeps the neighbours from signing in and refreshing.
 */
export const anonymous = defineLimit({ name: 'anonymous', requests: 60, windowSeconds: minute, per: 'network' });

/** Each machine by itself, on every route (practice 4.4), by the tier that an administrator gave it (practice 4.2). */
export const machines: Readonly<Record<MachineTier, Limit>> = {
  standard: defineLimit({ name: 'machine-standard', requests: 300, windowSeconds: minute, per: 'machine' }),
  high: defineLimit({ name: 'machine-high', requests: 3000, windowSeconds: minute, per: 'machine' }),
};

/** People who are signed in, on every route. */
export const signedIn = defineLimit({ name: 'user', requests: 600, windowSeconds: minute, per: 'user' });
