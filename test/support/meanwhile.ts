import { vi } from 'vitest';
import { PersonLock } from '../../src/auth/sessions/index.js';
import type { TestApp } from './app.js';

/** Lets something happen after the guards have let the next request to the first instance in, and before its transaction begins. */
export function meanwhile(app: TestApp, happens: () => Promise<unknown>): void {
  const lock = app.on(0).service.app.get(PersonLock, { strict: false });
  vi.spyOn(lock, 'hold').mockImplementationOnce(async (userId, work) => {
    await happens();
    return lock.hold(userId, work);
  });
}
