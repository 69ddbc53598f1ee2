import { spawn } from 'node:child_process';
import { globSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { services } from '../support/profile.js';

/** What people and programs do with the service, and what attackers try: tests of other parts, as they are. */
const files = globSync([
  'test/resources/{resources,policy}.test.ts',
  'test/users/users.test.ts',
  'test/invitations/invitations.test.ts',
  'test/auth/sessions/{refresh,own-sessions}.test.ts',
  'test/auth/password/password-change.test.ts',
  'test/auth/accounts/**/*.test.ts',
  'test/auth/factors/totp/verify.test.ts',
  'test/auth/browser/browser-mode.test.ts',
  'test/auth/api-keys/api-keys.test.ts',
  'test/auth/clients/token-endpoint.test.ts',
]);

/** The edge refuses these before the service: other hosts, NUL, and paths that no route has. */
const ofTheEdge = ['forges Host', '%00', 'no interactive route'];

describe('the tests of other parts through the gateway, on PostgreSQL and Redis [practice 9.1] [practice 9.2]', () => {
  it('not one is refused what the service would have answered', { timeout: 600_000 }, async () => {
    const names = `^(?!.*(?:${ofTheEdge.join('|')}))`;
    const outputFile = join(tmpdir(), `gateway-e2e-${process.pid}.json`);
    const args = [
      'run',
      '--project',
      'services',
      '--reporter',
      'json',
      '--outputFile',
      outputFile,
      '-t',
      names,
      ...files,
    ];
    const { databaseUrl: DATABASE_URL, redisUrl: REDIS_URL } = services();
    const env = { PATH: process.env['PATH'], DATABASE_URL, REDIS_URL, TEST_PROFILE: 'services', GATEWAY: 'yes' };
    // Its status is that of the tests: the report says which.
    await new Promise((ended) => spawn('node_modules/.bin/vitest', args, { env, stdio: 'ignore' }).once('exit', ended));
    const report = JSON.parse(readFileSync(outputFile, 'utf8')) as Report;
    rmSync(outputFile);
    const failed = report.testResults.flatMap(({ assertionResults }) =>
      assertionResults.filter(({ status }) => status === 'failed').map(({ fullName }) => fullName),
    );
    expect(failed).toEqual([]);
    expect(report.numPassedTests).toBeGreaterThan(200);
    expect(report.success).toBe(true);
  });
});

interface Report {
  readonly success: boolean;
  readonly numPassedTests: number;
  readonly testResults: readonly {
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}
