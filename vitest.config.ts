import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    setupFiles: ['reflect-metadata'],
    globalSetup: ['test/support/global-setup.ts'],
    // One application with its own database per file; files run side by side, as many as there are cores.
    pool: 'forks',
    maxWorkers: 2,
    // Generous, and tried once more in CI: real floods and real processes share two cores with whatever else runs there.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    retry: process.env['CI'] ? 1 : 0,
    // A test that passes because nothing was asserted proves nothing.
    expect: { requireAssertions: true },
    allowOnly: !process.env['CI'],
  },
});
