import { constants } from 'node:os';

/**
 * The terminal signals the whole process group and npm passes the signal on: what comes within this time is the same
 * wish.
 */
const sameWishMs = 2_000;

/**
 * Calls `begin` on the first signal that asks the process to stop. A later one is of somebody who does not want to
 * wait: the process ends at once, says so, and leaves with 128 + the number of the signal. Without a listener, the
 * second signal would kill at once.
 * @returns the function that stops listening.
 */
export function onStopSignal(begin: (signal: NodeJS.Signals) => void): () => void {
  let first: number | undefined;
  const hear = (signal: NodeJS.Signals): void => {
    if (first === undefined) {
      first = performance.now();
      begin(signal);
    } else if (performance.now() - first >= sameWishMs) {
      process.stderr.write(`${signal} again: ended at once, and what was in flight gets no answer\n`);
      process.exit(signalExitCode(signal));
    }
  };
  // SIGHUP: the terminal was closed.
  const signals = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, hear);
  return () => {
    for (const signal of signals) process.off(signal, hear);
  };
}

/** As a shell reports a process that a signal ended. */
export const signalExitCode = (signal: NodeJS.Signals): number => 128 + constants.signals[signal];
