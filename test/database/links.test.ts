import { createServer as createPlainServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { readFileSync } from 'node:fs';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readConfig } from '../../src/config/index.js';
import { connectionOptions, withClient } from '../../src/database/connection.js';
import { grantRuntimeRole, migrate } from '../../src/database/index.js';
import { checkRedis } from '../../src/shared-state/index.js';
import { signUp } from '../support/actors.js';
import { startApp } from '../support/app.js';
import { profile } from '../support/profile.js';
import { Authority, RedisServer, rolePassword, serverNames, type CertificateFiles } from '../support/tls-servers.js';
import { Cluster } from './cluster.js';

const chosen = profile();
const secret = 'canary-4Uo2qj7rT9wPz';

/** A server that listens on a free port, and what it was told in clear or inside TLS. */
async function listening(server: Server): Promise<{ port: number; close: () => void }> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as AddressInfo).port, close: () => server.close() };
}

describe('somebody answers in the place of the server [ASVS 12.3.2] [practice 7.1]', () => {
  let authority: Authority;
  let foreign: CertificateFiles;
  let heard: string;
  const listen = (socket: Socket) => socket.on('error', () => undefined).on('data', (data: Buffer) => (heard += data.toString('latin1')));

  beforeAll(async () => {
    authority = await Authority.create();
    const other = await Authority.create();
    foreign = await other.issue('server', serverNames);
    foreign = { cert: readFileSync(foreign.cert, 'utf8'), key: readFileSync(foreign.key, 'utf8') };
    other.remove();
  });
  afterAll(() => authority.remove());

  const connectToDatabase = async (port: number) => {
    const DATABASE_URL = `postgresql://app:${secret}@localhost:${port}/app?sslmode=verify-full`;
    const config = readConfig({ DATABASE_URL, DATABASE_CA_FILE: authority.caFile });
    await withClient(connectionOptions(config, undefined), async () => undefined);
  };

  it('says that PostgreSQL speaks no TLS (stripping): nothing but the question was sent', async () => {
    heard = '';
    const { port, close } = await listening(createPlainServer((socket) => void listen(socket).on('data', () => socket.write('N'))));
    await expect(connectToDatabase(port)).rejects.toThrow('DATABASE_URL: no TLS with that server (the server speaks no TLS)');
    expect(Buffer.from(heard, 'latin1')).toEqual(Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]));
    close();
  });

  it('shows a certificate of another CA as PostgreSQL: it hears neither role nor password', async () => {
    heard = '';
    const inside = createTlsServer(foreign, listen).on('tlsClientError', () => undefined);
    const { port, close } = await listening(
      createPlainServer((socket) => void socket.once('data', () => {
        socket.write('S');
        inside.emit('connection', socket);
      })),
    );
    await expect(connectToDatabase(port)).rejects.toThrow(/DATABASE_URL: no TLS with that server \([A-Z_]+\)/);
    expect(heard).toBe('');
    close();
  });

  it('shows a certificate of another CA as Redis: it hears no password, and the service does not start', async () => {
    heard = '';
    const { port, close } = await listening(createTlsServer(foreign, listen).on('tlsClientError', () => undefined));
    const config = readConfig({ REDIS_URL: `rediss://:${secret}@localhost:${port}`, REDIS_CA_FILE: authority.caFile });
    await expect(checkRedis(config)).rejects.toThrow(/REDIS_URL: no TLS with that server \([A-Z_]+\)/);
    expect(heard).toBe('');
    close();
  });
});

// Real servers that ask for certificates themselves; their programs are there where the services profile runs.
if (chosen.name === 'services') {
  describe('PostgreSQL and Redis with TLS and client certificates [ASVS 12.3.1] [ASVS 12.3.5] [ASVS 13.2.1] [practice 7.1]', () => {
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
      honest = { ...cluster.env('app'), REDIS_URL: redis.url(), REDIS_CA_FILE: cluster.authority.caFile, REDIS_CERT_FILE: cert, REDIS_KEY_FILE: key };
      const owner = connectionOptions(cluster.config(cluster.env('owner')), undefined);
      await migrate(owner);
      await grantRuntimeRole(owner, 'app');
    }, 120_000);
    afterAll(async () => {
      await redis.stop();
      await cluster.stop();
      other.remove();
    });

    it('honest certificates on both sides: the service works, and every connection is TLS in the name of its role', async () => {
      const app = await startApp({ instances: 1, env: honest });
      await signUp(app, 'alice');
      const rows = await cluster.postgres.sql('postgres', `SELECT ssl, version, client_dn FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename = 'app'`);
      expect(rows.length).toBeGreaterThan(0);
      for (const row of rows) expect(row).toEqual({ ssl: true, version: 'TLSv1.3', client_dn: '/CN=app' });
      const [ca, cert, key] = [cluster.authority.caFile, honest['REDIS_CERT_FILE'] ?? '', honest['REDIS_KEY_FILE'] ?? ''].map((file) => readFileSync(file));
      const client = new Redis({ host: 'localhost', port: redis.port, password: rolePassword, tls: { ca, cert, key, servername: 'localhost' } });
      expect(await client.keys('*:limit:*')).not.toEqual([]);
      client.disconnect();
      await app.close();
    }, 60_000);

    const noTls = /^the configuration has 1 fault:\n  - (DATABASE|REDIS)_URL: no TLS with that server \([A-Z_0-9]+\): check its certificate.*$/;
    const notLetIn = /^the database does not let us in \(28(000|P01)\): .*$/;
    const redisShut = /^the configuration has 1 fault:\n  - REDIS_URL: .*REDIS_CERT_FILE.*$/;

    it.each<[string, () => Record<string, string | undefined>, RegExp]>([
      ['PostgreSQL, signed by a CA that we do not trust', () => ({ DATABASE_CA_FILE: other.caFile }), noTls],
      ['PostgreSQL, signed by no public CA', () => ({ DATABASE_CA_FILE: undefined }), noTls],
      ['PostgreSQL, under a name that is not in its certificate', () => ({ DATABASE_URL: cluster.postgres.url('app', 'service', { host: '127.0.0.2' }) }), noTls],
      ['PostgreSQL, without a client certificate', () => ({ DATABASE_CERT_FILE: undefined, DATABASE_KEY_FILE: undefined }), notLetIn],
      ['PostgreSQL, with the certificate of another role', () => ({ ...cluster.env('owner'), DATABASE_URL: cluster.postgres.url('app', 'service') }), notLetIn],
      ['PostgreSQL, with a certificate of another CA', () => ({ DATABASE_CERT_FILE: foreign.cert, DATABASE_KEY_FILE: foreign.key }), noTls],
      ['PostgreSQL, in clear', () => ({ DATABASE_URL: cluster.postgres.url('app', 'service', { mode: 'disable' }), DATABASE_CA_FILE: '', DATABASE_CERT_FILE: '', DATABASE_KEY_FILE: '' }), notLetIn],
      ['Redis, signed by a CA that we do not trust', () => ({ REDIS_CA_FILE: other.caFile }), noTls],
      ['Redis, under a name that is not in its certificate', () => ({ REDIS_URL: redis.url({ host: '127.0.0.2' }) }), noTls],
      ['Redis, without a client certificate', () => ({ REDIS_CERT_FILE: undefined, REDIS_KEY_FILE: undefined }), redisShut],
      ['Redis, with a certificate of another CA', () => ({ REDIS_CERT_FILE: foreign.cert, REDIS_KEY_FILE: foreign.key }), redisShut],
      ['Redis, that speaks no TLS', () => ({ REDIS_URL: chosen.redisUrl.replace('redis:', 'rediss:') }), redisShut],
      ['Redis, in clear', () => ({ REDIS_URL: redis.url({ scheme: 'redis' }), REDIS_CA_FILE: '', REDIS_CERT_FILE: '', REDIS_KEY_FILE: '' }), redisShut],
      ['Redis, with a wrong password', () => ({ REDIS_URL: redis.url({ password: secret }) }), /REDIS_URL: Redis does not let us in \(WRONGPASS\)/],
    ])('%s: the service does not start, says so in one line, and repeats nothing of the URL', async (_, change, line) => {
      const env = Object.entries({ ...honest, ...change() }).filter((entry): entry is [string, string] => Boolean(entry[1]));
      const fault = await cluster.bootFault(Object.fromEntries(env));
      expect(fault).toMatch(line);
      expect(fault).not.toMatch(new RegExp(`${rolePassword}|canary|localhost:|127\\.0\\.0`));
    });
  });
}
