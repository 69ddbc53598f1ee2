import { signUp, type Actor } from '../support/actors.js';
import type { TestApp } from '../support/app.js';
import type { LeaveTraces } from '../support/every-trace.js';
import { createResource, shareWith } from './support.js';

const friends = new WeakMap<TestApp, Actor>();

/** One of their own, and one that somebody shares with them. */
export const leaveTraces: LeaveTraces = async (app, person) => {
  await createResource(app, person);
  const friend = friends.get(app) ?? (await signUp(app, 'friend'));
  friends.set(app, friend);
  await shareWith(app, friend, (await createResource(app, friend)).id, person, 'viewer');
};
