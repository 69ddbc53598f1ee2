import { join } from 'node:path';
import { expect, vi } from 'vitest';
import type { CommandEnds } from '../../../cli/ends.js';

// What is found, and what a file holds: tampering.test.ts, export.test.ts.
export const commandEnds: CommandEnds = {
  async 'audit:verify'(app, end) {
    // The service seals by itself, every two seconds.
    await vi.waitFor(async () => expect((await app.sql('SELECT FROM audit_links')).length).toBeGreaterThan(0), 10_000);
    expect(await end('audit:verify')).toMatchObject({ code: 0, output: expect.stringContaining(': 0 faults') });
  },

  async 'audit:export'(app, end) {
    const args = ['--format', 'ocsf', '--out', join(app.dataDirectory, 'trail.jsonl')];
    expect(await end('audit:export', args)).toMatchObject({
      code: 0,
      output: expect.stringContaining('refusals are in'),
    });
  },
};
