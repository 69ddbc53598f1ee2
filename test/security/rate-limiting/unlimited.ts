import { vi } from 'vitest';
import { LimiterStorage } from '../../../src/security/rate-limiting/limiter-storage.js';

/** As if a day went by between two requests: the limits are asked as ever, and each finds an empty bucket. */
export function withoutLimits(): void {
  const increment = LimiterStorage.prototype.increment;
  let day = 0;
  vi.spyOn(LimiterStorage.prototype, 'increment').mockImplementation(function (this: LimiterStorage, key, ...rest) {
    return increment.call(this, `${++day} ${key}`, ...rest);
  });
}
