import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { randomBytes, webcrypto } from 'node:crypto';
import { chmodSync, chownSync, copyFileSync, globSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import * as x509 from '@peculiar/x509';
import pg from 'pg';
import { freePort } from '../../scripts/free-port.js';

export const redisProgram = 'redis-server';
const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

/** Paths of PEM files. */
export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
}

/** A certificate authority of a test, with its files in a directory of its own. */
export class Authority {
  private constructor(
    readonly directory: string,
    private readonly certificate: x509.X509Certificate,
    private readonly keys: webcrypto.CryptoKeyPair,
  ) {}

  static async create(): Promise<Authority> {
    const directory = mkdtempSync(join(tmpdir(), 'authority-'));
    const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
    const certificate = await x509.X509CertificateGenerator.createSelfSigned({
      ...fields(),
      name: `CN=Test CA ${randomBytes(4).toString('hex')}`,
      keys,
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
      ],
    });
    writeFileSync(join(directory, 'ca.crt'), certificate.toString('pem'));
    return new Authority(directory, certificate, keys);
  }

  get caFile(): string {
    return join(this.directory, 'ca.crt');
  }

  /** A certificate for the common name (a role, to PostgreSQL) and the DNS names and addresses. */
  async issue(commonName: string, names: readonly x509.JsonGeneralName[] = []): Promise<CertificateFiles> {
    const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
    const certificate = await x509.X509CertificateGenerator.create({
      ...fields(),
      subject: `CN=${commonName}`,
      issuer: this.certificate.subject,
      publicKey: keys.publicKey,
      signingKey: this.keys.privateKey,
      extensions: [
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth]),
        ...(names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension([...names])]),
      ],
    });
    const base = join(this.directory, `${commonName}-${randomBytes(3).toString('hex')}`);
    const key = x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY');
    writeFileSync(`${base}.crt`, certificate.toString('pem'));
    writeFileSync(`${base}.key`, key, { mode: 0o600 });
    return { cert: `${base}.crt`, key: `${base}.key` };
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/**
 * A server for localhost and 127.0.0.1 (and for 127.0.0.2, where it listens as well, its certificate does not speak).
 */
export const serverNames: x509.JsonGeneralName[] = [
  { type: 'dns', value: 'localhost' },
  { type: 'ip', value: '127.0.0.1' },
];

export interface Server {
  readonly port: number;
  stop(): Promise<void>;
}

/** What the roles of the cluster log in with, beside their certificate. */
export const rolePassword = randomBytes(18).toString('base64url');

/**
 * The one role that the cluster lets in by TLS and password alone: a second role in one process has no certificate of
 * its own.
 */
export const roleWithoutCertificate = 'migrator';

/** A PostgreSQL cluster that lets roles in over TLS only, with their password and a certificate in their name. */
export class PostgresServer implements Server {
  private constructor(
    readonly port: number,
    private readonly directory: string,
    private child: ChildProcess,
    private readonly spawnAgain: () => ChildProcess,
  ) {}

  static async start(authority: Authority): Promise<PostgresServer> {
    const [bin] = globSync('/usr/lib/postgresql/*/bin').toSorted().toReversed();
    if (bin === undefined)
      throw new Error('no PostgreSQL server is installed: the services profile needs its programs');
    const directory = mkdtempSync(join(tmpdir(), 'postgres-'));
    const user = serverUser();
    if (user.uid !== undefined) chownSync(directory, user.uid, user.gid ?? user.uid);
    const data = join(directory, 'data');
    const { status, stderr } = spawnSync(
      join(bin, 'initdb'),
      ['-D', data, '-U', 'postgres', '-A', 'trust', '--no-sync', '--encoding=UTF8', '--locale=C.UTF-8'],
      { ...user, encoding: 'utf8' },
    );
    if (status !== 0) throw new Error(stderr);
    const certificate = await authority.issue('server', serverNames);
    for (const [from, to] of [
      [certificate.cert, 'server.crt'],
      [certificate.key, 'server.key'],
      [authority.caFile, 'ca.crt'],
    ] as const) {
      const file = join(data, to);
      copyFileSync(from, file);
      chmodSync(file, 0o600);
      if (user.uid !== undefined) chownSync(file, user.uid, user.gid ?? user.uid);
    }
    writeFileSync(join(data, 'pg_hba.conf'), accessRules);
    const port = await freePort();
    const listen = { listen_addresses: '127.0.0.1,127.0.0.2', port, unix_socket_directories: directory };
    const settings = {
      ...listen,
      ssl: 'on',
      ssl_ca_file: 'ca.crt',
      fsync: 'off',
      max_connections: 40,
      shared_buffers: '16MB',
    };
    const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const run = () =>
      endsWithTheTests(spawn(join(bin, 'postgres'), ['-D', data, ...args], { ...user, stdio: 'ignore' }), 'SIGQUIT');
    const server = new PostgresServer(port, directory, run(), run);
    await until(() => server.sql('postgres', 'SELECT 1'));
    return server;
  }

  /** Ends the server as its administrator does (fast), or as a crash of the machine does. Its data stays. */
  async halt(signal: 'SIGINT' | 'SIGQUIT' = 'SIGINT'): Promise<void> {
    await ended(this.child, signal);
  }

  async resume(): Promise<void> {
    this.child = this.spawnAgain();
    await until(() => this.sql('postgres', 'SELECT 1'));
  }

  /** SQL as superuser, on the unix socket. */
  async sql(database: string, text: string): Promise<Record<string, unknown>[]> {
    const client = new pg.Client({ host: this.directory, port: this.port, user: 'postgres', database });
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(text)).rows;
    } finally {
      await client.end();
    }
  }

  /** @param host 127.0.0.2 is the same server under a name that is not in its certificate. */
  url(role: string, database: string, { host = 'localhost', mode = 'verify-full' } = {}): string {
    return `postgresql://${role}:${rolePassword}@${host}:${this.port}/${database}?sslmode=${mode}`;
  }

  async stop(): Promise<void> {
    await ended(this.child, 'SIGQUIT');
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** A Redis that speaks TLS only, asks for a client certificate and for a password. */
export class RedisServer implements Server {
  private constructor(
    readonly port: number,
    private readonly directory: string,
    private readonly child: ChildProcess,
  ) {}

  static async start(authority: Authority): Promise<RedisServer> {
    const directory = mkdtempSync(join(tmpdir(), 'redis-'));
    const { cert, key } = await authority.issue('redis', serverNames);
    const port = await freePort();
    const files = [
      '--tls-cert-file',
      cert,
      '--tls-key-file',
      key,
      '--tls-ca-cert-file',
      authority.caFile,
      '--tls-auth-clients',
      'yes',
    ];
    const rest = ['--bind', '127.0.0.1', '127.0.0.2', '--requirepass', rolePassword, '--save', '', '--dir', directory];
    const child = spawn(redisProgram, ['--port', '0', '--tls-port', String(port), ...files, ...rest], {
      stdio: 'ignore',
    });
    const server = new RedisServer(port, directory, endsWithTheTests(child, 'SIGTERM'));
    await until(() => reachable(port));
    return server;
  }

  url({ scheme = 'rediss', host = 'localhost', password = rolePassword } = {}): string {
    return `${scheme}://:${password}@${host}:${this.port}/0`;
  }

  async stop(): Promise<void> {
    await ended(this.child, 'SIGTERM');
    rmSync(this.directory, { recursive: true, force: true });
  }
}

const accessRules = `local all postgres trust
hostssl all ${roleWithoutCertificate} all scram-sha-256
hostssl all all all scram-sha-256 clientcert=verify-full
`;

const fields = () => {
  const notBefore = new Date(Date.now() - 60_000);
  return {
    notBefore,
    notAfter: new Date(Date.now() + 86_400_000),
    serialNumber: `01${randomBytes(15).toString('hex')}`,
    signingAlgorithm: algorithm,
  };
};

/** PostgreSQL refuses to run as root; then it runs as the user of its package. */
export function serverUser(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const id = (flag: string) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

async function until(attempt: () => Promise<unknown>): Promise<void> {
  for (let left = 300; ; left--) {
    try {
      await attempt();
      return;
    } catch (error) {
      if (left === 0) throw error;
      await pause(100);
    }
  }
}

const reachable = (port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => resolve(void socket.destroy())).on('error', reject);
  });

function endsWithTheTests(child: ChildProcess, signal: NodeJS.Signals): ChildProcess {
  process.once('exit', () => child.kill(signal));
  return child;
}

async function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = new Promise((resolve) => child.once('exit', resolve));
  child.kill(signal);
  await exit;
}
