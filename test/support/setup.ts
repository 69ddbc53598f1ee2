import 'reflect-metadata';
import { afterAll, vi } from 'vitest';
import { recordContacts, takeStrays } from './contacts.js';

recordContacts();

// The next file has the same process: it finds the clock and the environment as they were. vitest itself takes back
// what was spied on.
afterAll(() => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
  vi.unstubAllGlobals();
  // What a library sends home, and a test that leans on the network of whoever runs it (abuse case A9-5).
  const strays = takeStrays();
  if (strays.length > 0) throw new Error(`these tests contacted ${strays.join(' and ')}: use a server of their own`);
});
