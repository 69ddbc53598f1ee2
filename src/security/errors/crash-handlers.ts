import { Logger } from '@nestjs/common';

const logger = new Logger('Errors');

/**
 * What nobody caught (ASVS v5.0.0-16.5.4). Node would print it, stack and all, and end the process: a client that finds
 * one forgotten `await` could end the service as often as it likes. A rejection has unwound its own work, so it is
 * logged and the service goes on. After an exception in the event loop nobody knows what was left half-done: it is
 * logged, and the service ends in order, to be started anew.
 * @param end ends the service as a signal does, and with a failure as exit code.
 */
export function installCrashHandlers(end: () => void): void {
  let ending = false;
  process.on('unhandledRejection', (reason) => report('error', 'a rejection that nobody handled', reason));
  process.on('uncaughtException', (error) => {
    report('fatal', 'an exception that nobody caught: the service ends', error);
    if (!ending) end();
    ending = true;
  });
}

function report(level: 'error' | 'fatal', message: string, error: unknown): void {
  firstThatWorks(
    () => logger[level]({ message, 'event.action': 'sys_error', error }),
    () => process.stderr.write(`${message}, and the log does not take it\n`),
  );
}

/** Tries one after the other until one does not throw; when all do, nothing is left to try. */
export function firstThatWorks(...attempts: readonly (() => unknown)[]): void {
  attempts.some((attempt) => {
    try {
      attempt();
      return true;
    } catch {
      return false;
    }
  });
}
