import { AsyncLocalStorage } from 'node:async_hooks';

/** What a list shows in the place of a value that cannot be read. */
export const unreadableText = '[unreadable]';

const showing = new AsyncLocalStorage<true>();

/**
 * Reads what is only shown: a cell that does not open, of an erased person that a restore brought back, or spoiled by
 * an attacker, must not take the whole list with it. It is told as an alarm all the same. Never for what is compared or
 * written back: there it fails.
 */
export const showingUnreadable = <T>(read: () => Promise<T>): Promise<T> => showing.run(true, async () => read());

export const isShowingUnreadable = (): boolean => showing.getStore() === true;
