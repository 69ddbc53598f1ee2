import { SetMetadata } from '@nestjs/common';
import { Declarations } from '../declarations.js';

/** So many requests in a window, counted per key. */
export interface Limit {
  /** Appears in the `RateLimit` fields. */
  readonly name: string;
  readonly requests: number;
  readonly windowSeconds: number;
  /**
   * What is counted: the client's network (IPv4 address, IPv6 /64); the e-mail address in the body, from one network or
   * from everywhere; how many different addresses one network names; the signed-in user; the session; the user while a
   * second factor is due, and the session otherwise; the device of the `deviceToken` in the body; what the signed-in
   * user sends for one e-mail address; the machine. What a machine does counts for the user who owns it.
   */
  readonly per:
    | 'network'
    | 'account and network'
    | 'account'
    | 'accounts of network'
    | 'user'
    | 'session'
    | 'machine'
    | 'due factor'
    | 'device'
    | 'user and account';
  /** Counts only requests with a `deviceToken` that is good for the address, or only those without. Left out: both. */
  readonly from?: 'known devices' | 'unknown devices';
  /** The window is the day in UTC, for everybody alike, instead of one that begins with the first request. */
  readonly byDay?: boolean;
  /** What it bounds are guesses: half as many pass while each instance counts for itself. */
  readonly boundsGuesses?: boolean;
}

/** What the routes that name it are counted by, in this order: those per network and account before authentication. */
export interface RateLimits {
  /** Shown in the inventory. */
  readonly name: string;
  readonly limits: readonly Limit[];
}

export const minute = 60;
export const hour = 60 * minute;

const declared = new Declarations<Limit>('limit');

/**
 * So many requests between midnight and midnight (UTC), for `limits` of a machine.
 * @public: every user of it can be removed.
 */
export const defineDailyLimit = (name: string, requests: number, per: 'user' | 'machine'): Limit =>
  defineLimit({ name, requests, windowSeconds: 24 * hour, per, byDay: true });

/** Every limit that the service or a feature declared. @public: every user of it can be removed. */
export const limits = (): readonly Limit[] => declared.list();

/** @throws Error for a limit that is there already: two with one name would share their counters. */
export const defineLimit = (limit: Limit): Limit => declared.add(limit);

/**
 * The limits of a feature's routes that guess, flood, send mail or tell much; `@RateLimit` takes them.
 * @throws Error when none is per network: guests are counted by these instead of the limit of ordinary routes, and
 * whoever has no account must not be without any.
 */
export function defineRateLimits(name: string, own: readonly Limit[]): RateLimits {
  if (!own.some(({ per }) => per === 'network')) throw new Error(`the limits ${name} have none per network`);
  return Object.freeze({ name, limits: Object.freeze(own.map(defineLimit)) });
}

/** The same, for routes on which somebody may guess a secret: stricter while each instance counts for itself. */
export const defineGuessLimits = (name: string, own: readonly Limit[]): RateLimits =>
  defineRateLimits(
    name,
    own.map((limit) => ({ ...limit, boundsGuesses: true })),
  );

/** Routes that name no limits: what counts for every caller bounds them. */
export const ordinaryLimits: RateLimits = Object.freeze({ name: 'api', limits: Object.freeze([]) });

const RATE_LIMIT = 'rate-limit';

/** Counts the route by stricter limits than the ordinary ones. */
export const RateLimit = (own: RateLimits) => SetMetadata(RATE_LIMIT, own);

/** The limits of a route; what its handler says goes before what its controller says. */
export const rateLimitsOf = (handler: Function, controller: Function): RateLimits =>
  ((Reflect.getMetadata(RATE_LIMIT, handler) ?? Reflect.getMetadata(RATE_LIMIT, controller)) as
    | RateLimits
    | undefined) ?? ordinaryLimits;
