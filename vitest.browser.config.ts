import { defineConfig } from 'vitest/config';

// In a browser of their own, so that `npm test` asks a newcomer for no browser.
export default defineConfig({
  test: {
    include: ['test/browser/**/*.browser.ts'],
    setupFiles: ['reflect-metadata'],
    globalSetup: ['test/support/global-setup.ts'],
    pool: 'forks',
    maxWorkers: 1,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    retry: process.env['CI'] ? 1 : 0,
    expect: { requireAssertions: true },
    allowOnly: !process.env['CI'],
  },
});
