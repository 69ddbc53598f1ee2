import { constants } from 'node:os';

/** The terminal signals the whole process group and npm passes the signal on: what comes within this time is the same wish. */
const sameWishMs = 2_000;

/**
 * Calls `begin` on the first signal that asks the process to stop. A later one is of somebody who does not want to wait: the process
 * ends at once, says so, and leaves with 128 + the number of the signal. Without a listener, the second signal would kill at once.
 */
export function onStopSignal(begin: (signal: NodeJS.Signals) => void): void {
  let first: number | undefined;
  const hear = (signal: NodeJS.Signals): void => {
    if (first === undefined) {
      first = performance.now();
      begin(signal);
    } else if (performance.now() - first >= sameWishMs) {
      process.stderr.write(`${signal} again: the service ends at once, and requests in flight get no answer\n`);
      process.exit(signalExitCode(signal));
    }
  };
  // SIGHUP: the terminal was closed.
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, hear);
}

/** As a shell reports a process that a signal ended. */
export const signalExitCode = (signal: NodeJS.Signals): number => 128 + constants.signals[signal];
