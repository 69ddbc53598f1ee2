import { expect } from 'vitest';
import type { CommandEnds } from '../../cli/ends.js';

export const commandEnds: CommandEnds = {
  async 'audit:prune'(app, end) {
    // What goes and what stays: retention.test.ts.
    // As two roles: test/database/roles.services.test.ts.
    await app.sql(`INSERT INTO audit_events (id, at, action, outcome, details, mac_key_id, mac)
      VALUES ('00000000-0000-7000-8000-000000000000', now() - interval '91 days', 'authz_fail', 'denied', '{}',
        'k', 'm')`);
    const output = expect.stringContaining(
      'deleted 1 refusals older than 90 days and 0 changes older than 400 days',
    ) as string;
    expect(await end('audit:prune')).toMatchObject({ code: 0, output });
    expect(await app.auditEvent('audit_pruned')).toMatchObject({
      outcome: 'success',
      actor_id: null,
      details: { refusals: 1, changes: 0 },
    });
  },
};
