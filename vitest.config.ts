import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';
import { ClosingLine } from './test/support/closing-line.js';
import { all, onServers, onServersOnly, slow } from './test/support/kinds.js';

type Options = NonNullable<TestProjectInlineConfiguration['test']>;

const shared: Options = {
  setupFiles: ['test/support/setup.ts'],
  pool: 'forks',
  // Generous: floods and processes share the cores with whatever else runs there. Nothing is tried twice.
  testTimeout: 60_000,
  hookTimeout: 120_000,
  retry: 0,
  // A test that passes because nothing was asserted proves nothing.
  expect: { requireAssertions: true },
  allowOnly: !process.env['CI'],
  // A failed one runs once more, alone, in .ci/run: no other test does.
  tags: [{ name: 'timing', description: 'its outcome depends on how busy the machine is' }],
};

const project = (name: string, options: Options): TestProjectInlineConfiguration => ({
  extends: true,
  test: { ...shared, name, ...options },
});

/** For files that share their process: its modules are not loaded anew for each. */
const sharing: Options = {
  isolate: false,
  setupFiles: ['test/support/setup.ts', 'test/support/declared.ts'],
};

// The packages of this project by their sources: what is tested is what was edited, built or not.
const bySource = { resolve: { conditions: ['source', 'node'] } };

export default defineConfig({
  environments: { ssr: bySource, __vitest__: bySource },
  test: {
    maxWorkers: 2,
    // Once for all projects of a run.
    globalSetup: [
      'test/support/build-setup.ts',
      'test/support/global-setup.ts',
      'packages/field-encryption/test/support/global-setup.ts',
    ],
    reporters: ['default', new ClosingLine()],
    projects:
      process.env['TEST_PROFILE'] === 'services'
        ? [
            project('services', {
              include: onServers(),
              exclude: [slow],
              ...sharing,
            }),
            // Those start processes and put other modules in the place of ours: each has a process of its own.
            project('services-slow', {
              include: onServers().filter((file) => file.endsWith('.slow.test.ts')),
            }),
          ]
        : [
            project('fast', {
              // Each waits now and then, for a mail, a lock or a socket: three keep two cores busy.
              maxWorkers: 3,
              // vitest asks for an order of projects whose numbers differ.
              sequence: { groupOrder: 1 },
              include: [all],
              exclude: [slow, onServersOnly],
              ...sharing,
            }),
            project('slow', { include: [slow] }),
            project('browser', { include: ['test/browser/**/*.browser.ts'] }),
            project('http', { include: ['test/docs-http/*.http-client.ts'] }),
          ],
  },
});
