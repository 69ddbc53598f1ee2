import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { faultsOf } from '../../scripts/gateway/check.js';
import { Trust, writeSite } from './edge.js';

let trust: Trust;
const folders: string[] = [];

beforeAll(async () => {
  trust = await Trust.create();
});
afterAll(() => {
  trust?.remove();
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

function site(change: (folder: string) => void = () => undefined): string {
  const folder = mkdtempSync(join(tmpdir(), 'site-'));
  folders.push(folder);
  writeSite(folder, trust, 8443, { ports: [8444], ca: readFileSync(trust.authority.caFile, 'utf8') });
  change(folder);
  return folder;
}

const rewrite = (file: string, from: string, to: string) => (folder: string) => {
  const path = join(folder, file);
  const text = readFileSync(path, 'utf8');
  expect(text).toContain(from);
  writeFileSync(path, text.replace(from, to));
};

describe('a wrong configuration of the gateway is told with its line and the fix [practice 9.1]', () => {
  it('the committed one, with the files of a site, is taken', () => {
    expect(faultsOf(site())).toEqual([]);
  });

  it.each([
    [
      'a word that is none',
      rewrite('nginx.conf', 'server_tokens off;', 'server_token off;'),
      /nginx\.conf:\d+: .*server_token[\s\S]*fix: mend its spelling/,
    ],
    [
      'a semicolon that is missing',
      rewrite('site/server.conf', 'set $public_host localhost;', 'set $public_host localhost'),
      /server\.conf:\d+: [\s\S]*fix: mend the directive/,
    ],
    [
      'a certificate that is not there',
      rewrite('site/server.conf', 'tls/public.crt', 'tls/none.crt'),
      /none\.crt[\s\S]*fix: name a PEM file/,
    ],
    [
      'a key of another certificate',
      rewrite('site/server.conf', 'tls/public.key', 'tls/gateway.key'),
      /fix: name the key that belongs/,
    ],
    [
      'routes that were not exported',
      (folder: string) => rmSync(join(folder, 'exported/routes.conf')),
      /nginx\.conf:\d+: [\s\S]*fix: npm run gateway:export nginx/,
    ],
    [
      'a host that nobody knows',
      rewrite('site/upstream.conf', '127.0.0.1:8444', 'nowhere.invalid:8444'),
      /upstream\.conf:\d+: [\s\S]*fix: name an address/,
    ],
    [
      'a rule that is broken',
      (folder: string) => appendFileSync(join(folder, 'crs-exclusions.conf'), 'SecRulle ARGS "x" "id:1"\n'),
      /fix: mend the rule/,
    ],
    [
      'a variable that is none',
      rewrite('nginx.conf', '"client.ip":"$remote_addr"', '"client.ip":"$remote"'),
      /fix: mend its spelling, or set it/,
    ],
  ])('%s', (_, change, expected) => {
    const faults = faultsOf(site(change));
    expect(faults.length).toBeGreaterThan(0);
    expect(faults.join('\n')).toMatch(expected);
  });

  it('by the command: status 1, and nothing is started', () => {
    const folder = site(rewrite('nginx.conf', 'gzip off;', 'gzip of;'));
    const { status, stderr } = spawnSync(process.execPath, ['scripts/gateway.ts', 'check', folder], {
      encoding: 'utf8',
    });
    expect([status, /nginx\.conf:\d+: .*gzip/.test(stderr)]).toEqual([1, true]);
  });
});
