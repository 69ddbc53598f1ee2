import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KeyRing } from '@nestjs-secure-template/field-encryption';
import { purposes } from '../../src/common/macs.js';
import { createService } from '../../src/app.js';
import { bootFailure } from '../../src/boot-failure.js';
import { readConfig, type Config } from '../../src/config/index.js';
import { developmentCertificates } from '../../src/security/transport/development-certificates.js';
import { Authority, PostgresServer, rolePassword } from '../support/tls-servers.js';
import { freePort } from '../../scripts/free-port.js';

type Env = Record<string, string>;

/** A PostgreSQL cluster with the database `service` of the role `owner`, and certificates for roles. */
export class Cluster {
  private readonly certificates = new Map<string, Env>();

  private constructor(
    readonly authority: Authority,
    readonly postgres: PostgresServer,
    readonly dataDirectory: string,
  ) {}

  static async start(): Promise<Cluster> {
    const authority = await Authority.create();
    const cluster = new Cluster(
      authority,
      await PostgresServer.start(authority),
      mkdtempSync(join(tmpdir(), 'service-roles-')),
    );
    await cluster.addRole('owner');
    await cluster.addRole('app');
    await cluster.postgres.sql('postgres', 'CREATE DATABASE service OWNER owner');
    return cluster;
  }

  async addRole(role: string, attributes = ''): Promise<void> {
    await this.postgres.sql('postgres', `CREATE ROLE ${role} LOGIN ${attributes} PASSWORD '${rolePassword}'`);
    const { cert, key } = await this.authority.issue(role);
    this.certificates.set(role, {
      DATABASE_CA_FILE: this.authority.caFile,
      DATABASE_CERT_FILE: cert,
      DATABASE_KEY_FILE: key,
    });
  }

  /** The variables of a service that logs in as the role. */
  env(role: string): Env {
    return { DATABASE_URL: this.postgres.url(role, 'service'), ...this.certificates.get(role) };
  }

  /** What production demands besides. */
  async productionEnv(): Promise<Env> {
    const { certificateFile, keyFile } = await developmentCertificates({ dataDirectory: this.dataDirectory });
    const KEY_RING_FILE = join(this.dataDirectory, 'keys.json');
    await KeyRing.loadOrCreate(KEY_RING_FILE, purposes);
    const HTTPS_PORT = String(await freePort());
    return {
      NODE_ENV: 'production',
      HOST: '127.0.0.1',
      HTTPS_PORT,
      PUBLIC_URL: `https://localhost:${HTTPS_PORT}`,
      TLS_CERTIFICATE_FILE: certificateFile,
      TLS_KEY_FILE: keyFile,
      KEY_RING_FILE,
      TOMBSTONE_FILE: `${this.dataDirectory}.tombstones.txt`,
      ALLOW_IN_PRODUCTION: 'no-mail-server',
    };
  }

  config(env: Env): Config {
    const ports = { HTTPS_PORT: '0', HTTP_PORT: '0', INTERNAL_PORT: '0' };
    return readConfig({
      DATA_DIRECTORY: this.dataDirectory,
      ARGON2_MEMORY_KIB: '19456',
      ARGON2_PASSES: '2',
      ...ports,
      ...env,
    });
  }

  /** What the owner of the service reads when it does not start; undefined when it does. */
  async bootFault(env: Env): Promise<string | undefined> {
    const config = this.config(env);
    try {
      await (await createService(config)).close();
      return undefined;
    } catch (error) {
      return bootFailure(error, config);
    }
  }

  async stop(): Promise<void> {
    await this.postgres.stop();
    this.authority.remove();
    rmSync(this.dataDirectory, { recursive: true, force: true });
    rmSync(`${this.dataDirectory}.tombstones.txt`, { force: true });
  }
}
