/** How much one person can make the service store, and an export hold in memory. */
export const resourceLimits = {
  /** Multiplied by RATE_LIMIT_SCALE, so that a load test need not stop at it. */
  resourcesPerOwner: 1_000,
  sharesPerResource: 100,
  /** Shares of others with somebody come from anybody, so an export holds the newest of them only. */
  receivedSharesInExport: 10_000,
} as const;
