import { SetMetadata } from '@nestjs/common';

const RATE_LIMIT = 'rate-limit';

/** The classes of routes that share a row of the table in security/rate-limiting/limits.ts. */
export type LimitClass = 'api' | 'login' | 'passkey' | 'proof' | 'credential' | 'refresh' | 'mail' | 'invite' | 'export';

/** Puts the route under a stricter row of the table of limits. Routes without it are in the class `api`. */
export const RateLimit = (limitClass: LimitClass) => SetMetadata(RATE_LIMIT, limitClass);

/** The class of a route; what its handler says goes before what its controller says. */
export const limitClassOf = (handler: Function, controller: Function): LimitClass =>
  ((Reflect.getMetadata(RATE_LIMIT, handler) ?? Reflect.getMetadata(RATE_LIMIT, controller)) as LimitClass | undefined) ?? 'api';
