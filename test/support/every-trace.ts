import { globSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Actor } from './actors.js';
import type { TestApp } from './app.js';

/** In `traces.ts` beside the tests of a feature: makes a row of each of its tables that is about the person. */
export type LeaveTraces = (app: TestApp, person: Actor) => Promise<unknown>;

/** Makes whatever the service can know of somebody, so that a test can look for it everywhere. */
export async function leaveEveryTrace(app: TestApp, person: Actor): Promise<void> {
  for (const file of globSync('test/**/traces.ts').toSorted()) {
    const { leaveTraces } = (await import(resolve(file))) as { leaveTraces: LeaveTraces };
    await leaveTraces(app, person);
  }
}
