import { SetMetadata } from '@nestjs/common';

export const RATE_LIMIT = 'rate-limit';

/** The classes of routes that share a row of the table in security/rate-limiting/limits.ts. */
export type LimitClass = 'api' | 'login' | 'passkey' | 'proof' | 'credential' | 'refresh' | 'mail' | 'export';

/** Puts the route under a stricter row of the table of limits. Routes without it are in the class `api`. */
export const RateLimit = (limitClass: LimitClass) => SetMetadata(RATE_LIMIT, limitClass);
