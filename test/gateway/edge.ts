import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort } from '../../scripts/free-port.js';
import { readEdge } from '../../scripts/gateway/edge-routes.js';
import type { TestApp } from '../support/app.js';
import { send, type Answer, type RequestParts } from '../support/http.js';
import { Authority, type CertificateFiles } from '../support/tls-servers.js';

export const gatewayName = 'gateway.internal';
const nobody = 65_534;

/** The declarations as the tests have them, instead of those of the build. */
export const declaredEdge = () => readEdge(1, (module) => import(resolve(`src/${module}.ts`)));

/** What stands behind the edge: where it listens, and who signed what it shows. */
export interface Behind {
  readonly ports: readonly number[];
  readonly ca: string;
  /** What is said about nginx then holds without ModSecurity. */
  readonly withoutRules?: boolean;
  /** What it calls the service; `localhost`, when nothing is said. */
  readonly authority?: string;
  /** In the place of the exported files. */
  readonly exported?: Readonly<Record<string, string>>;
}

export const instancesOf = ({ dataDirectory, instances }: Pick<TestApp, 'dataDirectory' | 'instances'>): Behind => ({
  ports: instances.map(({ addresses }) => addresses.https),
  ca: readFileSync(join(dataDirectory, 'tls', 'ca.crt'), 'utf8'),
});

/** The CAs of one test: one signs the gateway's certificate for the service, the other what the public sees. */
export class Trust {
  private constructor(
    readonly authority: Authority,
    readonly gateway: CertificateFiles,
    private readonly publicAuthority: Authority,
    readonly publicPair: CertificateFiles,
  ) {}

  static async create(): Promise<Trust> {
    const [authority, publicAuthority] = await Promise.all([Authority.create(), Authority.create()]);
    const publicPair = await publicAuthority.issue('public', [{ type: 'dns', value: 'localhost' }]);
    const gateway = await authority.issue('gateway', [{ type: 'dns', value: gatewayName }]);
    return new Trust(authority, gateway, publicAuthority, publicPair);
  }

  get publicCa(): string {
    return readFileSync(this.publicAuthority.caFile, 'utf8');
  }

  /** What a service needs that takes its gateway's requests only. */
  get env(): Readonly<Record<string, string>> {
    return { GATEWAY_CA_FILE: this.authority.caFile, GATEWAY_NAME: gatewayName, TRUSTED_PROXIES: '127.0.0.1' };
  }

  remove(): void {
    for (const { directory } of [this.authority, this.publicAuthority])
      rmSync(directory, { recursive: true, force: true });
  }
}

/** PEM, as `certificate` of a request takes it. */
export const shown = ({ cert, key }: CertificateFiles) => ({
  cert: readFileSync(cert, 'utf8'),
  key: readFileSync(key, 'utf8'),
});

/** nginx as deploy/gateway has it, with the site of a test, in a process that owns nothing but its folder. */
export class Edge {
  private output = '';

  private constructor(
    readonly port: number,
    readonly ca: string,
    readonly directory: string,
    private readonly child: ChildProcess,
  ) {
    child.stderr?.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
  }

  static async start(behind: Behind, trust: Trust): Promise<Edge> {
    const port = await freePort();
    const directory = mkdtempSync(join(tmpdir(), 'edge-'));
    writeSite(directory, trust, port, behind);
    const isRoot = process.getuid?.() === 0;
    if (isRoot) spawnSync('chown', ['-R', `${nobody}:${nobody}`, directory]);
    const child = spawn('nginx', ['-p', `${directory}/`, '-c', join(directory, 'nginx.conf'), '-g', 'daemon off;'], {
      cwd: directory,
      env: { PATH: `${process.env['PATH'] ?? ''}:/usr/sbin` },
      stdio: ['ignore', 'ignore', 'pipe'],
      ...(isRoot && { uid: nobody, gid: nobody }),
    });
    const edge = new Edge(port, trust.publicCa, directory, child);
    await edge.listening();
    return edge;
  }

  request(method: string, path: string, parts: RequestParts = {}): Promise<Answer> {
    return send({ port: this.port, ca: this.ca }, method, path, parts);
  }

  log(name: 'access.log' | 'error.log' | 'blocked.log'): string {
    return readFileSync(join(this.directory, name), 'utf8');
  }

  async stop(): Promise<void> {
    const ended = new Promise((done) => this.child.once('exit', done));
    this.child.kill('SIGTERM');
    await ended;
    rmSync(this.directory, { recursive: true, force: true });
  }

  private async listening(): Promise<void> {
    for (let attempt = 0; attempt < 600; attempt++) {
      if (this.child.exitCode !== null) throw new Error(`nginx ended: ${this.output}`);
      if (await isOpen(this.port)) return;
      await pause(25);
    }
    throw new Error(`nginx does not listen: ${this.output}`);
  }
}

const isOpen = (port: number): Promise<boolean> =>
  new Promise((done) => {
    const socket = connect(port, '127.0.0.1', () => done(socket.destroy() !== undefined));
    socket.once('error', () => done(false));
  });

/** A copy of deploy/gateway in which only the files of the site are other ones. */
export function writeSite(
  directory: string,
  trust: Trust,
  port: number,
  { ports, ca, withoutRules = false, exported = {}, authority = 'localhost' }: Behind,
): void {
  cpSync(resolve('deploy/gateway'), directory, { recursive: true });
  if (withoutRules) {
    const main = join(directory, 'nginx.conf');
    writeFileSync(main, readFileSync(main, 'utf8').replace('modsecurity on;', 'modsecurity off;'));
  }
  for (const [name, text] of Object.entries(exported)) writeFileSync(join(directory, 'exported', name), text);
  mkdirSync(join(directory, 'tls'));
  const files = {
    'tls/public.crt': readFileSync(trust.publicPair.cert),
    'tls/public.key': readFileSync(trust.publicPair.key),
    'tls/gateway.crt': readFileSync(trust.gateway.cert),
    'tls/gateway.key': readFileSync(trust.gateway.key),
    'tls/service-ca.crt': ca,
    'site/upstream.conf': `upstream app {
${ports.map((each) => `    server 127.0.0.1:${each} max_fails=1 fail_timeout=2s;\n`).join('')}    keepalive 64;
}\n`,
    'site/server.conf': `listen 127.0.0.1:${port} ssl http2 default_server;
ssl_certificate tls/public.crt;
ssl_certificate_key tls/public.key;
set $public_host localhost;
set $public_authority ${authority};
proxy_ssl_certificate tls/gateway.crt;
proxy_ssl_certificate_key tls/gateway.key;
proxy_ssl_trusted_certificate tls/service-ca.crt;
proxy_ssl_name localhost;
`,
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
  chmodSync(directory, 0o700);
}
