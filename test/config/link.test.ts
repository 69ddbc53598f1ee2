import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { ConfigurationError, databaseLink, linkTls, readConfig, redisLink } from '../../src/config/index.js';
import { production } from './production.js';

const long = 'canary-4Uo2qj7rT9wPz';
const remote = `app:${long}@db.canary.example/app`;

/** The faults that name the variable; nothing else may be wrong. */
function faults(settings: Record<string, string>): string[] {
  try {
    readConfig(settings);
    return [];
  } catch (error) {
    expect((error as Error).message).not.toContain('canary');
    return [...(error as ConfigurationError).faults];
  }
}

describe('the link to the database in production [ASVS 12.3.1] [ASVS 12.3.2] [practice 7.1]', () => {
  it.each([
    `postgresql://${remote}`,
    `postgresql://${remote}?sslmode=disable`,
    `postgresql://app:${long}@10.0.0.7/app`,
    `postgresql://app:${long}@127.0.0.1.canary.example/app`,
    `postgresql://app:${long}@localhost.canary.example/app`,
    `postgresql://app:${long}@2130706433/app`,
    `postgresql://app:${long}@[2001:db8::1]/app`,
  ])('%s would go in clear: refused with the fix, and without a word of the URL [A8-6]', (url) => {
    expect(faults({ ...production, DATABASE_URL: url })).toEqual([
      expect.stringMatching(/^DATABASE_URL: .*clear: add \?sslmode=verify-full/),
    ]);
    expect(faults({ ...production, DATABASE_URL: url, ALLOW_CLEARTEXT_LINKS: 'redis' })).toHaveLength(1);
    expect(faults({ ...production, DATABASE_URL: url, ALLOW_CLEARTEXT_LINKS: 'database' })).toEqual([]);
  });

  it.each([
    `postgresql://${remote}?sslmode=verify-full`,
    `postgres://app:${long}@[2001:db8::1]:5433/app?sslmode=verify-full`,
    `postgresql://app:${long}@127.0.0.1/app`,
    `postgresql://app:${long}@[::1]/app`,
    'postgresql://postgres:postgres@localhost/app',
    'postgresql://app@%2Fvar%2Frun%2Fpostgresql/app',
    'postgresql://app@localhost/app?host=/var/run/postgresql',
  ])('%s is verified, or stays on the machine: starts', (url) => {
    expect(faults({ ...production, DATABASE_URL: url })).toEqual([]);
  });

  it('the link of the owner is held to the same', () => {
    const DATABASE_URL = `postgresql://${remote}?sslmode=verify-full`;
    expect(faults({ ...production, DATABASE_URL, DATABASE_OWNER_URL: `postgresql://${remote}` })).toEqual([
      expect.stringMatching(/^DATABASE_OWNER_URL: /),
    ]);
    expect(faults({ ...production, DATABASE_OWNER_URL: DATABASE_URL })).toEqual([
      'DATABASE_OWNER_URL needs DATABASE_URL: set both',
    ]);
  });
});

describe('a URL that tools read in different ways, in development too [ASVS 12.3.1]', () => {
  it.each([
    ...['require', 'prefer', 'allow', 'verify-ca', 'no-verify', 'VERIFY-FULL', ''].map((mode) => `?sslmode=${mode}`),
    '?sslmode=verify-full&sslmode=disable',
    '?sslmode=verify-full&ssl=false',
    '?sslmode=verify-full&uselibpqcompat=true',
    '?sslrootcert=/etc/canary.crt',
    '?host=canary.example',
  ])('%s: refused', (parameters) => {
    expect(faults({ DATABASE_URL: `postgresql://${remote}${parameters}` })).toEqual([
      expect.stringMatching(/^DATABASE_URL: set /),
    ]);
  });

  it.each([
    'rediss://:x@canary.example?tls=false',
    'rediss://canary.example/0?path=/tmp/canary',
    'rediss://:x@canary.example/canary',
  ])('%s: refused', (url) => expect(faults({ REDIS_URL: url })).toEqual([expect.stringMatching(/^REDIS_URL: set /)]));

  it('a password with a stray percent sign: refused, and not repeated', () => {
    expect(faults({ DATABASE_URL: 'postgresql://app:canary%zz@localhost/app' })).toEqual([
      expect.stringContaining('percent-encoded'),
    ]);
  });

  it('parts are decoded once, and nothing is made up', () => {
    expect(databaseLink('postgresql://a%40b:p%2525@[::1]/d%2Fe?sslmode=verify-full')).toEqual({
      host: '::1',
      port: 5432,
      user: 'a@b',
      password: 'p%25',
      database: 'd/e',
      tls: true,
    });
    expect(redisLink('redis://localhost')).toEqual({
      host: 'localhost',
      port: 6379,
      user: undefined,
      password: undefined,
      database: undefined,
      tls: false,
    });
  });
});

describe('the link to Redis in production [ASVS 12.3.1] [ASVS 12.3.2] [practice 7.1]', () => {
  it('redis:// to another machine: refused; rediss://, loopback, or accepted by name: starts', () => {
    const plain = { ...production, REDIS_URL: `redis://:${long}@redis.canary.example` };
    expect(faults(plain)).toEqual([expect.stringMatching(/^REDIS_URL: .*rediss:\/\//)]);
    expect(faults({ ...plain, ALLOW_CLEARTEXT_LINKS: 'redis' })).toEqual([]);
    expect(faults({ ...production, REDIS_URL: `rediss://:${long}@redis.canary.example` })).toEqual([]);
    expect(faults({ ...production, REDIS_URL: 'redis://127.0.0.1:6379/0' })).toEqual([]);
  });
});

describe('passwords that everybody tries, in production [ASVS 13.2.3] [ASVS 13.2.1]', () => {
  const certificate = (name: string) => ({
    [`${name}_CERT_FILE`]: '/etc/tls/canary.crt',
    [`${name}_KEY_FILE`]: '/etc/tls/canary.key',
  });

  it.each(['postgres:postgres', 'app', 'app:', 'app:app', 'canary:CANARY-db', 'app:Password', 'app:changeme'])(
    '%s to the database: refused; with a client certificate it starts',
    (login) => {
      const settings = {
        ...production,
        DATABASE_URL: `postgresql://${login}@db.canary.example/CANARY-db?sslmode=verify-full`,
      };
      expect(faults(settings)).toEqual([
        expect.stringMatching(/^DATABASE_URL: the password is empty or one that everybody tries/),
      ]);
      expect(faults({ ...settings, ...certificate('DATABASE') })).toEqual([]);
    },
  );

  it.each(['', ':redis@', ':foobared@', 'default:default@'])(
    'rediss://%s… to Redis: refused; with a client certificate it starts',
    (login) => {
      const settings = { ...production, REDIS_URL: `rediss://${login}redis.canary.example` };
      expect(faults(settings)).toEqual([expect.stringMatching(/^REDIS_URL: the password/)]);
      expect(faults({ ...settings, ...certificate('REDIS') })).toEqual([]);
    },
  );

  it('a certificate that is never shown, because the link goes in clear, excuses nothing', () => {
    const settings = {
      ...production,
      REDIS_URL: 'redis://redis.canary.example',
      ALLOW_CLEARTEXT_LINKS: 'redis',
      ...certificate('REDIS'),
    };
    expect(faults(settings)).toEqual([expect.stringContaining('do nothing'), expect.stringContaining('password')]);
  });
});

describe('certificate files', () => {
  const directory = mkdtempSync(join(tmpdir(), 'link-'));
  afterAll(() => rmSync(directory, { recursive: true }));
  const files = { caFile: undefined, certFile: undefined, keyFile: undefined };
  const link = databaseLink(`postgresql://${remote}?sslmode=verify-full`);

  it('a certificate without its key, or a CA for a link without TLS: refused', () => {
    expect(
      faults({ DATABASE_URL: `postgresql://${remote}?sslmode=verify-full`, DATABASE_CERT_FILE: '/etc/canary' }),
    ).toEqual(['DATABASE_CERT_FILE and DATABASE_KEY_FILE go together: set both or neither']);
    expect(faults({ REDIS_URL: 'redis://localhost', REDIS_CA_FILE: '/etc/canary' })).toEqual([
      expect.stringContaining('REDIS_URL asks for no TLS'),
    ]);
  });

  it('the file is missing, or no certificate: refused with the variable', () => {
    expect(() => linkTls('DATABASE', link, { ...files, caFile: join(directory, 'none') })).toThrow(
      /DATABASE_CA_FILE: the file cannot be read \(ENOENT\)/,
    );
    writeFileSync(join(directory, 'ca.crt'), 'canary');
    expect(() => linkTls('DATABASE', link, { ...files, caFile: join(directory, 'ca.crt') })).toThrow(
      /DATABASE_CA_FILE: set a PEM file/,
    );
  });

  it('chain and name are always checked, at TLS 1.2 or newer; addresses are not sent as a name', () => {
    expect(linkTls('DATABASE', link, files)).toEqual({
      rejectUnauthorized: true,
      minVersion: 'TLSv1.2',
      servername: 'db.canary.example',
    });
    expect(linkTls('REDIS', redisLink('rediss://127.0.0.2'), files)).toEqual({
      rejectUnauthorized: true,
      minVersion: 'TLSv1.2',
    });
  });
});
