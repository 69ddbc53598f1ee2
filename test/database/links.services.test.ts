import { readFileSync } from 'node:fs';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectionOptions } from '../../src/database/connection.js';
import { grantRuntimeRole, migrate } from '../../src/database/index.js';
import { signUp } from '../support/actors.js';
import { startApp } from '../support/app.js';
import { services } from '../support/profile.js';
import { Authority, RedisServer, rolePassword, type CertificateFiles } from '../support/tls-servers.js';
import { Cluster } from './cluster.js';

const chosen = services();
const secret = 'canary-4Uo2qj7rT9wPz';

// Real servers that ask for certificates themselves.
describe('links with TLS and client certificates [ASVS 12.3.1] [ASVS 12.3.5] [ASVS 13.2.1] [practice 7.1]', () => {
  let cluster: Cluster;
  let redis: RedisServer;
  let other: Authority;
  let honest: Record<string, string>;
  let foreign: CertificateFiles;

  beforeAll(async () => {
    cluster = await Cluster.start();
    redis = await RedisServer.start(cluster.authority);
    other = await Authority.create();
    foreign = await other.issue('app');
    const { cert, key } = await cluster.authority.issue('service');
    honest = {
      ...cluster.env('app'),
      REDIS_URL: redis.url(),
      REDIS_CA_FILE: cluster.authority.caFile,
      REDIS_CERT_FILE: cert,
      REDIS_KEY_FILE: key,
    };
    const owner = connectionOptions(cluster.config(cluster.env('owner')), undefined);
    await migrate(owner);
    await grantRuntimeRole(owner, 'app');
  }, 120_000);
  afterAll(async () => {
    await redis.stop();
    await cluster.stop();
    other.remove();
  });

  it('honest certificates on both sides: every connection is TLS in the name of its role', async () => {
    const app = await startApp({ instances: 1, env: honest });
    await signUp(app, 'alice');
    const rows = await cluster.postgres.sql(
      'postgres',
      `SELECT ssl, version, client_dn FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename = 'app'`,
    );
    expect(rows.length).toBeGreaterThan(0);
    for (const row of rows) expect(row).toEqual({ ssl: true, version: 'TLSv1.3', client_dn: '/CN=app' });
    const [ca, cert, key] = [
      cluster.authority.caFile,
      honest['REDIS_CERT_FILE'] ?? '',
      honest['REDIS_KEY_FILE'] ?? '',
    ].map((file) => readFileSync(file));
    const client = new Redis({
      host: 'localhost',
      port: redis.port,
      password: rolePassword,
      tls: { ca, cert, key, servername: 'localhost' },
    });
    expect(await client.keys('*:limit:*')).not.toEqual([]);
    client.disconnect();
    await app.close();
  }, 60_000);

  const noTls =
    /^the configuration has 1 fault:\n  - (DATABASE|REDIS)_URL: no TLS with that server \(\w+\): .*certificate.*$/;
  const notLetIn = /^the database does not let us in \(28(000|P01)\): .*$/;
  const redisShut = /^the configuration has 1 fault:\n  - REDIS_URL: .*REDIS_CERT_FILE.*$/;

  it.each<[string, () => Record<string, string | undefined>, RegExp]>([
    ['PostgreSQL, signed by a CA that we do not trust', () => ({ DATABASE_CA_FILE: other.caFile }), noTls],
    ['PostgreSQL, signed by no public CA', () => ({ DATABASE_CA_FILE: undefined }), noTls],
    [
      'PostgreSQL, under a name that is not in its certificate',
      () => ({ DATABASE_URL: cluster.postgres.url('app', 'service', { host: '127.0.0.2' }) }),
      noTls,
    ],
    [
      'PostgreSQL, without a client certificate',
      () => ({ DATABASE_CERT_FILE: undefined, DATABASE_KEY_FILE: undefined }),
      notLetIn,
    ],
    [
      'PostgreSQL, with the certificate of another role',
      () => ({ ...cluster.env('owner'), DATABASE_URL: cluster.postgres.url('app', 'service') }),
      notLetIn,
    ],
    [
      'PostgreSQL, with a certificate of another CA',
      () => ({ DATABASE_CERT_FILE: foreign.cert, DATABASE_KEY_FILE: foreign.key }),
      noTls,
    ],
    [
      'PostgreSQL, in clear',
      () => ({
        DATABASE_URL: cluster.postgres.url('app', 'service', { mode: 'disable' }),
        DATABASE_CA_FILE: '',
        DATABASE_CERT_FILE: '',
        DATABASE_KEY_FILE: '',
      }),
      notLetIn,
    ],
    ['Redis, signed by a CA that we do not trust', () => ({ REDIS_CA_FILE: other.caFile }), noTls],
    [
      'Redis, under a name that is not in its certificate',
      () => ({ REDIS_URL: redis.url({ host: '127.0.0.2' }) }),
      noTls,
    ],
    [
      'Redis, without a client certificate',
      () => ({ REDIS_CERT_FILE: undefined, REDIS_KEY_FILE: undefined }),
      redisShut,
    ],
    [
      'Redis, with a certificate of another CA',
      () => ({ REDIS_CERT_FILE: foreign.cert, REDIS_KEY_FILE: foreign.key }),
      redisShut,
    ],
    ['Redis, that speaks no TLS', () => ({ REDIS_URL: chosen.redisUrl.replace('redis:', 'rediss:') }), redisShut],
    [
      'Redis, in clear',
      () => ({
        REDIS_URL: redis.url({ scheme: 'redis' }),
        REDIS_CA_FILE: '',
        REDIS_CERT_FILE: '',
        REDIS_KEY_FILE: '',
      }),
      redisShut,
    ],
    [
      'Redis, with a wrong password',
      () => ({ REDIS_URL: redis.url({ password: secret }) }),
      /REDIS_URL: Redis does not let us in \(WRONGPASS\)/,
    ],
  ])('%s: the service does not start, says so in one line, and repeats nothing of the URL', async (_, change, line) => {
    const env = Object.entries({ ...honest, ...change() }).filter((entry): entry is [string, string] =>
      Boolean(entry[1]),
    );
    const fault = await cluster.bootFault(Object.fromEntries(env));
    expect(fault).toMatch(line);
    expect(fault).not.toMatch(new RegExp(`${rolePassword}|canary|localhost:|127\\.0\\.0`));
  });
});
