import { expect } from 'vitest';
import type { CommandEnds } from '../../cli/ends.js';

export const commandEnds: CommandEnds = {
  async 'audit:prune'(_app, end) {
    // What goes and what stays: retention.test.ts. As two roles: test/database/roles.services.test.ts.
    const output = expect.stringContaining(
      'deleted 0 refusals older than 90 days and 0 changes older than 400 days',
    ) as string;
    expect(await end('audit:prune')).toMatchObject({ code: 0, output });
  },
};
