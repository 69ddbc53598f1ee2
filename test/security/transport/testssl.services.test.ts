import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApp, type TestApp } from '../../support/app.js';

// What somebody finds who looks at the TLS of the service from outside: testssl.sh tries versions, suites, groups, and
// the attacks that have a name.

const program = '/usr/bin/testssl';
let app: TestApp;

interface Finding {
  readonly id: string;
  readonly severity: string;
  readonly finding: string;
}

beforeAll(async () => {
  if (!existsSync(program)) throw new Error(`${program} is missing: apt-get install testssl.sh`);
  app = await startApp({ instances: 1 });
});
afterAll(() => app.close());

function scan(): Promise<readonly Finding[]> {
  const [out, ca] = [join(app.dataDirectory, 'findings.json'), join(app.dataDirectory, 'tls', 'ca.crt')];
  const looks = ['--protocols', '--std', '--fs', '--server-preference', '--server-defaults', '--vulnerable'];
  const options = [...looks, '--quiet', '--warnings', 'off', '--color', '0', '--jsonfile', out, '--add-ca', ca];
  return new Promise((resolve) => {
    // Its status counts what it found; what that is stands in the file.
    execFile(program, [...options, `https://localhost:${app.on(0).addresses.https}`], { maxBuffer: 1e8 }, () =>
      resolve(JSON.parse(readFileSync(out, 'utf8')) as Finding[]),
    );
  });
}

/** The certificate of development: nobody revokes it, and `localhost` has no record in DNS. */
const ofDevelopment = ['cert_revocation', 'DNS_CAArecord'];
const harmless = ['OK', 'INFO', 'LOW', 'WARN', 'DEBUG'];

describe('testssl.sh looks at the service [practice 1.2] [ASVS 12.1.1] [ASVS 12.1.2]', () => {
  it('finds nothing above LOW but the certificate of development', { timeout: 600_000 }, async () => {
    const findings = await scan();
    // It came to its end, and has seen what it is for.
    const seen = [
      'SSLv3',
      'TLS1',
      'TLS1_1',
      'TLS1_2',
      'TLS1_3',
      'PFS',
      'heartbleed',
      'secure_client_renego',
      'LUCKY13',
    ];
    const severities = seen.map((id) => findings.find((finding) => finding.id === id)?.severity);
    expect(severities).toEqual(seen.map(() => expect.stringMatching(/^(OK|INFO)$/)));
    const bad = findings.filter(({ id, severity }) => !harmless.includes(severity) && !ofDevelopment.includes(id));
    expect(bad).toEqual([]);
  });
});
