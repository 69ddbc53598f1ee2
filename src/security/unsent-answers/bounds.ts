const kibibyte = 1024;
const mebibyte = 1024 * kibibyte;

/**
 * How many bytes of answers may wait to be sent (ASVS v5.0.0-15.2.2). They count from the moment the last byte is written by a handler until the
 * system has taken it: what a client does not read stays in the memory of the process. Tests lower them; nothing else does.
 */
export const unsentBounds = {
  /** One connection, pipelined requests together: who asks for more without reading is cut. */
  perConnection: 2 * mebibyte,
  /** One user, and one network of guests, over all connections. */
  perCaller: 8 * mebibyte,
  /** The process: from here on only callers of whom next to nothing waits are served, and at twice as much nobody. */
  total: 128 * mebibyte,
  modestShare: 512 * kibibyte,
  /** What a request counts for until its answer is made. */
  perRunningRequest: 64 * kibibyte,
  /** A reader has to take so much, on average and after a first moment; patience alone would let a byte a minute hold everything. */
  minBytesPerSecond: 8 * kibibyte,
  graceMs: 10_000,
  checkIntervalMs: 1_000,
};
