import type { LimitClass } from '../../common/rate-limit.decorator.js';

/** So many requests in a window, counted per key. */
export interface Limit {
  /** Appears in the `RateLimit` fields. */
  readonly name: string;
  readonly requests: number;
  readonly windowSeconds: number;
  /**
   * What is counted: the client's network (IPv4 address, IPv6 /64); the e-mail address in the body, from one network or from everywhere; how
   * many different addresses one network names; the signed-in user; the session; the user while a second factor is due, and the session
   * otherwise; the device of the `deviceToken` in the body; what the signed-in user sends for one e-mail address.
   */
  readonly per: 'network' | 'account and network' | 'account' | 'accounts of network' | 'user' | 'session' | 'due factor' | 'device' | 'user and account';
  /** Counts only requests with a `deviceToken` that is good for the address, or only those without. Left out: both. */
  readonly from?: 'known devices' | 'unknown devices';
}

/** What RATE_LIMIT_SCALE multiplies. Never what bounds guesses at one account, mails to it or copies of it: an office is no reason for those. */
export const isLoad = ({ name, per }: Limit): boolean => per === 'network' || per === 'accounts of network' || name === 'user';

const minute = 60;
const hour = 60 * minute;

/**
 * Asked first, for every request over HTTPS and plain HTTP: unknown routes, broken bodies, what the HTTP parser refuses. Bounds what one network
 * can make the service do at all, so that parsing, refusing and verifying forged tokens stay cheap.
 */
export const everyRequest: Limit = { name: 'network', requests: 1200, windowSeconds: minute, per: 'network' };

/** The same for the internal listener, apart: a flood on the public side must not keep an orchestrator from asking whether the service lives. */
export const internalRequest: Limit = { name: 'internal', requests: 1200, windowSeconds: minute, per: 'network' };

/** Asked before authentication, in this order, for the routes of the class: those that guess, flood or send mail. */
export const limitsBeforeAuthentication: Readonly<Record<LimitClass, readonly Limit[]>> = {
  api: [],
  login: [
    { name: 'login-network', requests: 20, windowSeconds: minute, per: 'network' },
    { name: 'login-network-hour', requests: 100, windowSeconds: hour, per: 'network' },
    // Stuffing: one password, or one leaked pair each, on many accounts.
    { name: 'login-accounts', requests: 30, windowSeconds: hour, per: 'accounts of network', from: 'unknown devices' },
    { name: 'login-account', requests: 10, windowSeconds: 15 * minute, per: 'account and network', from: 'unknown devices' },
    // Guessing from many networks. Owners on their devices are not in this bucket, so that filling it locks none of them out.
    { name: 'login-account-hour', requests: 100, windowSeconds: hour, per: 'account', from: 'unknown devices' },
    { name: 'login-device', requests: 10, windowSeconds: 15 * minute, per: 'device', from: 'known devices' },
    // No bucket for all devices together: whoever once knew the password, and collected tokens, would lock the owner's device out with it.
    { name: 'login-device-hour', requests: 30, windowSeconds: hour, per: 'device', from: 'known devices' },
  ],
  passkey: [{ name: 'passkey-network', requests: 30, windowSeconds: minute, per: 'network' }],
  proof: [{ name: 'proof-network', requests: 30, windowSeconds: minute, per: 'network' }],
  credential: [{ name: 'credential-network', requests: 30, windowSeconds: minute, per: 'network' }],
  refresh: [{ name: 'refresh-network', requests: 120, windowSeconds: minute, per: 'network' }],
  mail: [
    { name: 'mail-network', requests: 5, windowSeconds: 10 * minute, per: 'network' },
    { name: 'mail-account', requests: 3, windowSeconds: hour, per: 'account' },
  ],
  invite: [{ name: 'invite-network', requests: 100, windowSeconds: hour, per: 'network' }],
  export: [{ name: 'export-network', requests: 30, windowSeconds: hour, per: 'network' }],
};

/**
 * Asked after authentication: guests get less than people who are signed in (practice 4.2). `anonymous` is for the class `api` alone, the
 * others have a row for networks above: else one who fetches pages in a loop keeps the neighbours from signing in and refreshing.
 */
export const limitsAfterAuthentication = {
  anonymous: { name: 'anonymous', requests: 60, windowSeconds: minute, per: 'network' },
  user: { name: 'user', requests: 600, windowSeconds: minute, per: 'user' },
} as const satisfies Record<string, Limit>;

/** Asked after authentication too, for what costs or tells most: a stolen session must not harvest in a loop (A6-5). */
export const limitsOfCallers: Readonly<Partial<Record<LimitClass, readonly Limit[]>>> = {
  // Counted by account: whoever knows the password guesses codes from as many addresses as they like (ASVS v5.0.0-6.6.3). But a session
  // that is whole has nothing to guess, and if it is stolen, must not keep its owner from signing in.
  proof: [
    { name: 'proof', requests: 10, windowSeconds: 15 * minute, per: 'due factor' },
    { name: 'proof-day', requests: 50, windowSeconds: 24 * hour, per: 'due factor' },
  ],
  // By session: a thief of one gets no second one without the password, and must not keep the owner from changing it.
  credential: [{ name: 'credential', requests: 10, windowSeconds: 15 * minute, per: 'session' }],
  // Each may send mail to a stranger (A6-2). What one address gets from everybody together is bounded where it is not told: src/invitations.
  invite: [
    { name: 'invite', requests: 20, windowSeconds: 24 * hour, per: 'user' },
    { name: 'invite-address', requests: 3, windowSeconds: 24 * hour, per: 'user and account' },
  ],
  export: [{ name: 'export', requests: 5, windowSeconds: hour, per: 'user' }],
};
