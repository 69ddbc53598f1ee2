import { defineRateLimits, hour, minute } from '../../common/http/rate-limit.js';

/** For routes that mail an address which anybody can name. */
export const mailLimits = defineRateLimits('mail', [
  { name: 'mail-network', requests: 5, windowSeconds: 10 * minute, per: 'network' },
  { name: 'mail-account', requests: 3, windowSeconds: hour, per: 'account' },
]);
