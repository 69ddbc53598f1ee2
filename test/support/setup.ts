import 'reflect-metadata';
import { afterAll, vi } from 'vitest';

// The next file has the same process: it finds the clock and the environment as they were. vitest itself takes back
// what was spied on.
afterAll(() => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
  vi.unstubAllGlobals();
});
