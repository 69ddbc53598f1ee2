import type { IncomingHttpHeaders } from 'node:http';

/** The origins of pages that may use a cookie of the service. */
export interface PageOrigins {
  /** The service's own. */
  readonly own: readonly string[];
  /** CORS_ORIGINS. */
  readonly listed: readonly string[];
}

/**
 * What a browser says of a page of each kind; a page can neither set `Sec-Fetch-Site` nor leave it out. Old browsers
 * send none.
 */
const sitesOfOwn: readonly (string | undefined)[] = ['same-origin', 'none', undefined];
const sitesOfListed: readonly (string | undefined)[] = ['same-site', 'cross-site', 'none', undefined];

/**
 * True when the browser says that a page of ours made the request: by `Sec-Fetch-Site: same-origin`, or by an `Origin`
 * that is, letter for letter, one of ours. Both must agree. What says neither is refused (CSRF, ASVS v5.0.0-3.5.1).
 */
export function isFromOwnPage(
  { 'sec-fetch-site': site, origin }: IncomingHttpHeaders,
  { own, listed }: PageOrigins,
): boolean {
  if (origin === undefined) return site === 'same-origin';
  if (own.includes(origin)) return sitesOfOwn.includes(site);
  return listed.includes(origin) && sitesOfListed.includes(site);
}
