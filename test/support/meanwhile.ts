import { vi } from 'vitest';
import { AccountLock } from '../../src/users/index.js';
import type { TestApp } from './app.js';

/**
 * Lets something happen after the guards have let the next request to the first instance in, and before its transaction
 * begins.
 */
export function meanwhile(app: TestApp, happens: () => Promise<unknown>): void {
  const lock = app.on(0).service.app.get(AccountLock, { strict: false });
  vi.spyOn(lock, 'hold').mockImplementationOnce(async (userId, work) => {
    await happens();
    return lock.hold(userId, work);
  });
}
