/** How much one person can make the service store. */
export const resourceLimits = {
  /** Multiplied by RATE_LIMIT_SCALE, so that a load test need not stop at it. */
  resourcesPerOwner: 1_000,
  sharesPerResource: 100,
} as const;
