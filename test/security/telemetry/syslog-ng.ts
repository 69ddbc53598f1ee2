import { spawn, type ChildProcess } from 'node:child_process';
import { appendFileSync, existsSync, globSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, vi } from 'vitest';
import { startApp, type TestApp } from '../../support/app.js';
import { Authority, serverNames, type CertificateFiles } from '../../support/tls-servers.js';
import { destinations, LogReceiver, protocols, type Destination } from './log-receivers.js';

const program = '/usr/sbin/syslog-ng';
/** With what would end a string, or be replaced, in a looser recipe. */
export const secret = 'canary-"of"-\\secret-$HOST-${MESSAGE}';
/** syslog-ng tries again every five seconds. */
export const soon = { timeout: 40_000, interval: 100 };

export interface SyslogNgOptions {
  readonly destination: Destination;
  /** What it reads. */
  readonly log: string;
  readonly caFile: string;
  /** Not set: the recipe as it is. */
  readonly configuration?: string;
}

/** Debian's syslog-ng with a recipe of deploy/syslog-ng/, and the receiver that it sends to. */
export class SyslogNg {
  readonly receiver: LogReceiver;
  readonly spool: string;
  /** What it wrote to stderr. */
  said = '';
  process: ChildProcess | undefined;

  constructor(private readonly options: SyslogNgOptions) {
    if (!existsSync(program) || globSync('/usr/lib/syslog-ng/*/libhttp.so').length === 0)
      throw new Error('apt-get install -y --no-install-recommends syslog-ng-core syslog-ng-mod-http');
    this.receiver = new LogReceiver(options.destination, secret);
    this.spool = mkdtempSync(join(tmpdir(), 'syslog-ng-'));
  }

  /** On the spool that is there, once its receiver has a port. */
  start(): void {
    const { destination, log, caFile, configuration = resolve('deploy/syslog-ng/base.conf') } = this.options;
    const env = {
      API_LOG_FILE: log,
      DESTINATION: resolve(`deploy/syslog-ng/${destination}.conf`),
      SPOOL_DIRECTORY: this.spool,
      CA_FILE: caFile,
      ...protocols[destination].env(`https://localhost:${this.receiver.port}`, secret),
    };
    const state = { '-R': 'persist', '-c': 'control', '-p': 'pid' };
    const files = Object.entries(state).flatMap(([option, name]) => [option, join(this.spool, name)]);
    const child = spawn(program, ['-F', '-e', '--no-caps', '-f', configuration, ...files], { env });
    child.stderr.on('data', (chunk: Buffer) => (this.said += chunk.toString()));
    this.process = child;
  }

  async stop(): Promise<void> {
    await this.kill();
    await this.receiver.stop();
    rmSync(this.spool, { recursive: true, force: true });
  }

  /** As a crash of the machine ends it. */
  async kill(): Promise<void> {
    const { process } = this;
    if (process === undefined || process.exitCode !== null || process.killed) return;
    const end = new Promise((done) => process.once('exit', done));
    process.kill('SIGKILL');
    await end;
  }

  /** Waits until all of those lines have arrived. */
  async delivers(lines: readonly string[]): Promise<void> {
    await vi.waitFor(() => {
      const got = new Set(this.receiver.received.map(({ line }) => line));
      const missing = lines.filter((line) => !got.has(line));
      expect(missing, `${this.said}\n${this.receiver.refusals.join('\n')}`).toEqual([]);
    }, soon);
  }

  /** How often each of those lines has arrived. */
  timesOf(lines: readonly string[]): number[] {
    return lines.map((line) => this.receiver.received.filter((one) => one.line === line).length);
  }
}

/** A service, and a syslog-ng for each destination that reads its log. */
export class SyslogNgFleet {
  app!: TestApp;
  authority!: Authority;
  /** Of each receiver. */
  certificate!: CertificateFiles;
  of = {} as Record<Destination, SyslogNg>;
  readonly directory = mkdtempSync(join(tmpdir(), 'log-'));
  readonly file = join(this.directory, 'api.log');
  private read = 0;

  async start(): Promise<void> {
    this.app = await startApp({ instances: 1 });
    this.authority = await Authority.create();
    this.certificate = await this.authority.issue('receiver', serverNames);
    const options = { log: this.file, caFile: this.authority.caFile };
    const made = destinations.map((destination) => [destination, new SyslogNg({ ...options, destination })]);
    this.of = Object.fromEntries(made) as typeof this.of;
    writeFileSync(this.file, '');
    await this.all(async (one) => {
      await one.receiver.start(this.certificate);
      one.start();
    });
  }

  async stop(): Promise<void> {
    await this.all((one) => one.stop());
    await this.app?.close();
    this.authority?.remove();
    rmSync(this.directory, { recursive: true, force: true });
  }

  all(work: (one: SyslogNg) => unknown): Promise<unknown> {
    return Promise.all(Object.values(this.of).map(work));
  }

  /** What the service has said since the last time, brought to the file as systemd does. @returns its lines. */
  write(path = this.file): string[] {
    const text = this.app.logText().slice(this.read);
    this.read += text.length;
    appendFileSync(path, text);
    return text.split('\n').filter((line) => line !== '');
  }

  async writeRequests(path = this.file): Promise<string[]> {
    for (let index = 0; index < 3; index++) await this.app.request('GET', '/v1/users/me', { token: 'a.b.c' });
    return this.write(path);
  }
}
