/**
 * The key service did not answer, or not to us. That says nothing about the wrapped key: it is an outage, never a sign of
 * tampering, and nothing is opened or sealed meanwhile.
 */
export class KeyServiceUnavailable extends Error {
  override readonly name = 'KeyServiceUnavailable';
  /** What security/errors knows an outage of the key service by. */
  readonly code = 'KEY_SERVICE_UNAVAILABLE';

  // No cause: a client's error can hold a piece of the answer that it could not read, and the answer holds the data key.
  constructor(service: string, reason: string) {
    super(`the key service ${service} does not do its work (${reason}): check that it runs, its address and what it allows us`);
  }
}

/** `ECONNREFUSED`, `timeout`, `AccessDeniedException`: a word for the log, never a message of somebody else. */
export function reasonOf(error: unknown): string {
  const { code, name } = error as { code?: unknown; name?: unknown };
  if (name === 'AbortError' || name === 'TimeoutError') return 'timeout';
  const word = [code, name].find((each) => typeof each === 'string' && /^\w{1,60}$/.test(each) && each !== 'Error');
  return typeof word === 'string' ? word : 'unknown reason';
}
