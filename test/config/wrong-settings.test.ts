import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import inspector from 'node:inspector';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { KeyRing } from '@nestjs-secure-template/field-encryption';
import { purposes } from '../../src/common/macs.js';
import { createService } from '../../src/app.js';
import { bootFailure } from '../../src/boot-failure.js';
import { configFromEnvironment, readConfig, type Config } from '../../src/config/index.js';
import { developmentCertificates } from '../../src/security/transport/development-certificates.js';

// Every wrong setting that is easily made: the owner reads which variable it is and what to set. In process: what
// main.ts says is `bootFailure`, and a start as production never gets as far as the database here.

const root = mkdtempSync(join(tmpdir(), 'wrong-'));
const at = (name: string) => join(root, name);
const certificate = { TLS_CERTIFICATE_FILE: at('data/tls/server.crt'), TLS_KEY_FILE: at('data/tls/server.key') };
/** The start of production that has everything; each case spoils one thing. */
const good = {
  NODE_ENV: 'production',
  PUBLIC_URL: 'https://localhost',
  HOST: '127.0.0.1',
  DATA_DIRECTORY: at('data'),
  KEY_RING_FILE: at('keys.json'),
  TOMBSTONE_FILE: at('tombstones.txt'),
  DATABASE_URL: 'postgresql://app@127.0.0.1:1/app',
  SMTP_URL: 'smtps://mail.example.org',
  ...certificate,
};

beforeAll(async () => {
  mkdirSync(at('data'), { mode: 0o700 });
  await developmentCertificates({ dataDirectory: at('data') });
  await KeyRing.loadOrCreate(at('keys.json'), purposes);
  writeFileSync(at('empty'), '', { mode: 0o600 });
  writeFileSync(at('half.json'), '{"version":1,"keys":[{"secret":"canary', { mode: 0o600 });
  copyFileSync(at('data/tls/server.key'), at('open.key'));
  chmodSync(at('open.key'), 0o644);
  copyFileSync(at('keys.json'), at('open.json'));
  chmodSync(at('open.json'), 0o640);
  mkdirSync(at('open'));
  chmodSync(at('open'), 0o755);
  symlinkSync(at('loop'), at('loop'));
  vi.useFakeTimers({ toFake: ['Date'], now: new Date('2020-01-01') });
  await developmentCertificates({ dataDirectory: at('old') });
  vi.useRealTimers();
});
afterAll(() => rmSync(root, { recursive: true }));

/** What the owner reads; undefined when everything up to the database is right. */
async function fault(settings: Record<string, string>): Promise<string | undefined> {
  let config: Config | undefined;
  try {
    config = readConfig({ ARGON2_MEMORY_KIB: '19456', ...settings });
    await (await createService(config)).close();
    return undefined;
  } catch (error) {
    const line = bootFailure(error, config);
    return line.includes('the database does not let us in (ECONNREFUSED)') ? undefined : line;
  }
}

describe('a wrong setting stops production, its value untold [A8-6] [ASVS 13.2.3] [ASVS 13.3.1] [practice 6.4]', () => {
  it('everything is right: starts as far as the database', async () => {
    expect(await fault(good)).toBeUndefined();
  });

  const long = 'long-random-4Uo2qj7rT9';
  it.each<readonly [Record<string, string>, RegExp]>([
    [{ NODE_ENV: 'canary' }, /NODE_ENV: set one of: development, production/],
    [{ PUBLIC_URL: '' }, /PUBLIC_URL is not set/],
    [{ PUBLIC_URL: 'http://canary.example' }, /PUBLIC_URL: set an origin such as https/],
    [{ HOST: '' }, /HOST is not set/],
    [{ HOST: '256.1.1.1' }, /HOST: set a host name or an IP address/],
    [{ HOST: 'canary:8443' }, /HOST: set a host name or an IP address/],
    [{ HTTPS_PORT: '65536' }, /HTTPS_PORT: set a whole number from 0 to 65535/],
    [{ HTTP_PORT: '8443' }, /HTTPS_PORT, HTTP_PORT and INTERNAL_PORT: set three different ports/],
    ...['0.0.0.0', '::', '[::]', '0', '203.0.113.7', '2001:db8::1', 'canary.example', '::ffff:0.0.0.0'].map(
      (INTERNAL_HOST) =>
        [
          { INTERNAL_HOST },
          /INTERNAL_HOST: set a loopback or private address of this machine, never 0\.0\.0\.0/,
        ] as const,
    ),
    ...['999.1.1.1', '10.0.0.0/33', '10.0.0.0/', 'canary', '1.2.3', '0.0.0.0/0', '::/0'].map(
      (TRUSTED_PROXIES) => [{ TRUSTED_PROXIES }, /TRUSTED_PROXIES: set IP addresses or CIDR ranges/] as const,
    ),
    [{ CORS_ORIGINS: '*' }, /CORS_ORIGINS: set an origin/],
    [{ RATE_LIMIT_SCALE: '0' }, /RATE_LIMIT_SCALE: set a whole number/],
    [{ RATE_LIMIT_SCALE: '101' }, /RATE_LIMIT_SCALE: set a whole number up to 100 in production/],
    [{ DATABASE_URL: '' }, /DATABASE_URL is not set.*ALLOW_IN_PRODUCTION=embedded-database/],
    [
      { DATABASE_URL: `postgresql://app:${long}@db.canary.example/app` },
      /DATABASE_URL: the link would go in clear: add \?sslmode=verify-full/,
    ],
    [
      { DATABASE_URL: `postgresql://app:${long}@db.canary.example/app?sslmode=require` },
      /DATABASE_URL: set sslmode=verify-full/,
    ],
    [
      { DATABASE_URL: 'postgresql://postgres:postgres@db.canary.example/app?sslmode=verify-full' },
      /DATABASE_URL: the password is empty or one that everybody tries/,
    ],
    [
      { DATABASE_URL: '', ALLOW_IN_PRODUCTION: 'canary' },
      /ALLOW_IN_PRODUCTION: set one of: embedded-database, no-mail-server/,
    ],
    [
      { REDIS_URL: 'rediss://:redis@redis.canary.example' },
      /REDIS_URL: the password is empty or one that everybody tries/,
    ],
    [{ SMTP_URL: '' }, /SMTP_URL is not set.*ALLOW_IN_PRODUCTION=no-mail-server/],
    [{ SMTP_URL: 'smtp://mail.canary.example?starttls=never' }, /SMTP_URL: set no starttls=never|SMTP_URL: set a URL/],
    [{ TOMBSTONE_FILE: '' }, /TOMBSTONE_FILE is not set/],
    [{ TOMBSTONE_FILE: at('data/tombstones.txt') }, /TOMBSTONE_FILE is inside DATA_DIRECTORY/],
    ...['NODE_TLS_REJECT_UNAUTHORIZED', 'NODE_DEBUG', 'DEBUG'].map(
      (name) => [{ [name]: '0' }, new RegExp(`${name} is set, which is for debugging: unset it`)] as const,
    ),
    [{ DATA_DIRECTORY: '/dev/null/data' }, /DATA_DIRECTORY: the directory cannot be written/],
    [{ DATA_DIRECTORY: at('open') }, /DATA_DIRECTORY: group or others may look into it: chmod 700/],
    [{ TLS_KEY_FILE: '' }, /TLS_KEY_FILE is not set/],
    [{ TLS_KEY_FILE: at('none') }, /TLS_KEY_FILE: the file cannot be read \(ENOENT\)/],
    [{ TLS_KEY_FILE: at('open.key') }, /TLS_KEY_FILE: group or others may read the file: chmod 600/],
    [
      { TLS_CERTIFICATE_FILE: at('empty') },
      /TLS_CERTIFICATE_FILE and TLS_KEY_FILE: set a PEM certificate chain and its own key/,
    ],
    [
      { TLS_CERTIFICATE_FILE: at('old/tls/server.crt'), TLS_KEY_FILE: at('old/tls/server.key') },
      /TLS_CERTIFICATE_FILE: the certificate is expired: set a valid one/,
    ],
    [
      { PUBLIC_URL: 'https://api.canary.example' },
      /TLS_CERTIFICATE_FILE: the certificate is for another name than the host of PUBLIC_URL/,
    ],
    [{ KEY_RING_FILE: at('none') }, /KEY_RING_FILE: .*there is no such file.*keys:init/],
    [{ KEY_RING_FILE: at('loop') }, /KEY_RING_FILE: .*it cannot be read \(ELOOP\)/],
    [{ KEY_RING_FILE: root }, /KEY_RING_FILE: .*cannot be read \(EISDIR\)|KEY_RING_FILE: .*chmod 600/],
    [{ KEY_RING_FILE: at('half.json') }, /KEY_RING_FILE: .*it is no JSON: restore it from its backup/],
    [{ KEY_RING_FILE: at('open.json') }, /KEY_RING_FILE: .*chmod 600/],
    [{ KEY_WRAPPER: 'canary' }, /KEY_WRAPPER: set one of: local/],
    [{ ARGON2_MEMORY_KIB: '1024' }, /ARGON2_MEMORY_KIB: set a whole number from 19456/],
  ])('%j', async (wrong, expected) => {
    const line = await fault({ ...good, ...wrong });
    expect(line).toMatch(expected);
    expect(line).not.toMatch(/canary|long-random|\n\s+at /);
  });

  it("behind a gateway the certificate has the gateway's name; the rest is accepted by name", async () => {
    expect(
      await fault({ ...good, PUBLIC_URL: 'https://api.canary.example', TRUSTED_PROXIES: '10.0.0.0/8' }),
    ).toBeUndefined();
    expect(() =>
      readConfig({ ...good, DATABASE_URL: '', SMTP_URL: '', ALLOW_IN_PRODUCTION: 'embedded-database,no-mail-server' }),
    ).not.toThrow();
  });

  it('a debugger is open: production does not start, development does [ASVS 13.4.2]', () => {
    for (const [name, value] of Object.entries(good)) vi.stubEnv(name, value);
    expect(configFromEnvironment().production).toBe(true);
    inspector.open(0, '127.0.0.1');
    expect(() => configFromEnvironment()).toThrow('--inspect: the debugger is open');
    vi.stubEnv('NODE_ENV', 'development');
    expect(configFromEnvironment().production).toBe(false);
    inspector.close();
    vi.unstubAllEnvs();
  });

  it.each(['127.0.0.2', '::1', '10.1.2.3', '192.168.0.1', '172.31.0.1', '100.64.0.1', 'fd00::1', 'localhost'])(
    'INTERNAL_HOST=%s is a private address: accepted',
    (INTERNAL_HOST) => {
      expect(readConfig({ INTERNAL_HOST }).internalHost).toBe(INTERNAL_HOST);
    },
  );
});

describe('what the machine refuses, told with its variable [practice 6.4]', () => {
  const config = readConfig({ DATA_DIRECTORY: '/srv/data', TOMBSTONE_FILE: '/mnt/tombstones.txt' });
  const failed = (code: string, path: string) =>
    bootFailure(new Error('outer', { cause: Object.assign(new Error('inner'), { code, path }) }), config);

  it.each([
    [
      'ENOSPC',
      '/srv/data/outbox/x',
      'DATA_DIRECTORY: the disk of /srv/data/outbox/x is full (ENOSPC): free some space, or set another one',
    ],
    [
      'EACCES',
      '/mnt/tombstones.txt',
      'TOMBSTONE_FILE: /mnt/tombstones.txt cannot be read or written (EACCES): ' +
        'let the user of the service own it, or set another one',
    ],
    [
      'EROFS',
      '/srv/data',
      'DATA_DIRECTORY: /srv/data cannot be read or written (EROFS): let the user of the service own it, ' +
        'or set another one',
    ],
    [
      'EPERM',
      '/srv/database',
      'the file system: /srv/database cannot be read or written (EPERM): let the user of the service own it, ' +
        'or set another one',
    ],
  ])('%s at %s', (code, path, expected) => {
    expect(failed(code, path)).toBe(expected);
  });
});
