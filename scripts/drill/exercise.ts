// One exercise: a service of its own, an attacker, whoever is on call, and a clock.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort } from '../free-port.ts';

export interface Person {
  readonly email: string;
  readonly userId: string;
}
interface Call {
  readonly from?: string;
  readonly token?: string;
  readonly body?: object;
}
interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, string>>;
}

const password = 'seven quiet lanterns above the harbour';
/** As long as alerts and responses may take, generously: beyond it the exercise has failed. */
const withinMs = 15_000;

export class Exercise {
  private readonly directory = mkdtempSync(join(tmpdir(), 'drill-'));
  private service: ChildProcess | undefined;
  private log = '';
  private port = 0;
  private startedAt = performance.now();
  private env: NodeJS.ProcessEnv = {};

  async start(): Promise<void> {
    const [https, http, internal] = await Promise.all([freePort(), freePort(), freePort()]);
    this.port = https;
    const ports = { HTTPS_PORT: String(https), HTTP_PORT: String(http), INTERNAL_PORT: String(internal) };
    const settings = {
      DATA_DIRECTORY: this.directory,
      PUBLIC_URL: `https://localhost:${https}`,
      RATE_LIMIT_SCALE: '20',
    };
    this.env = { PATH: process.env['PATH'], ...ports, ...settings };
    const child = spawn(process.execPath, ['dist/main.js'], { env: this.env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.service = child;
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => (this.log += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
    await this.until(
      'the service listens',
      async () => {
        if (child.exitCode !== null) throw new Error(`the service did not start: ${said}`);
        return said.includes(`https://localhost:${https}`);
      },
      60_000,
    );
  }

  stop(): void {
    this.service?.kill('SIGKILL');
    rmSync(this.directory, { recursive: true, force: true });
  }

  begin(what: string): void {
    this.startedAt = performance.now();
    this.say('attack', what);
  }

  /** Waits for the alert in the log. @throws Error when none comes. */
  async detected(rule: string): Promise<void> {
    const line = await this.until(`alert ${rule}`, async () =>
      this.log.split('\n').find((one) => one.includes(`"alert ${rule}:`)),
    );
    const { message, 'log.level': level } = JSON.parse(line) as Record<string, string>;
    this.say('alert', `${level ?? ''}: ${(message ?? '').replace(/ \(.*/, '')}`);
  }

  respond(command: string, ...args: readonly string[]): void {
    const words = [`respond:${command}`, ...args, '--reason', 'a drill'];
    const { status, stdout, stderr } = spawnSync(process.execPath, ['dist/cli/main.js', ...words], {
      env: this.env,
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`${words.join(' ')}: ${stdout}${stderr}`);
    this.say('response', `${words.slice(0, -2).join(' ')}: ${stdout.trim()}`);
  }

  /** Waits until the attacker gets that status, and no other. @throws Error when they do not. */
  async stopped(what: string, status: number, attempt: () => Promise<Answer>): Promise<void> {
    await this.until(what, async () => (await attempt()).status === status);
    this.say('stopped', `${what}: ${status}`);
  }

  operate(...words: readonly string[]): void {
    const { status, stderr } = spawnSync(process.execPath, ['dist/cli/main.js', ...words], {
      env: this.env,
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`${words.join(' ')}: ${stderr}`);
  }

  async signUp(name: string): Promise<Person> {
    const email = `${name}@example.org`;
    await this.call('POST', '/v1/auth/register', { body: { email } });
    const token = await this.until(`a mail to ${email}`, async () => this.mailedToken(email));
    const { body } = await this.call('POST', '/v1/auth/email/verify', { body: { token, password, name } });
    return { email, userId: body['id'] ?? '' };
  }

  async signIn({ email }: Person, from?: string): Promise<{ token: string; refreshToken: string }> {
    const { status, body } = await this.call('POST', '/v1/auth/login', { from, body: { email, password } });
    if (status !== 200) throw new Error(`${email} cannot sign in: ${status}`);
    return { token: body['accessToken'] ?? '', refreshToken: body['refreshToken'] ?? '' };
  }

  call(method: string, path: string, { from, token, body }: Call = {}): Promise<Answer> {
    const payload = body === undefined ? undefined : JSON.stringify(body);
    const headers = {
      ...(payload !== undefined && {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(payload),
      }),
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    };
    const ca = readFileSync(join(this.directory, 'tls', 'ca.crt'));
    const options = { host: 'localhost', port: this.port, method, path, headers, ca, agent: false as const };
    return new Promise((resolve, reject) => {
      const sent = request({ ...options, family: 4, localAddress: from ?? '127.0.0.1' }, (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => (text += chunk.toString()));
        response.on('end', () => {
          const parsed = text.startsWith('{') ? (JSON.parse(text) as Answer['body']) : {};
          resolve({ status: response.statusCode ?? 0, body: parsed });
        });
      });
      sent.on('error', reject).end(payload);
    });
  }

  private mailedToken(email: string): string | undefined {
    const outbox = join(this.directory, 'outbox');
    const names = existsSync(outbox) ? readdirSync(outbox).filter((name) => name.endsWith('.eml')) : [];
    const mails = names.map((name) => readFileSync(join(outbox, name), 'utf8').replaceAll('=\r\n', ''));
    return /\b[0-9a-f]{96}\b/.exec(mails.find((mail) => mail.includes(email)) ?? '')?.[0];
  }

  private async until<T>(what: string, look: () => Promise<T | undefined | false>, ms = withinMs): Promise<T> {
    for (const end = performance.now() + ms; performance.now() < end; await pause(50)) {
      const found = await look();
      if (found !== undefined && found !== false) return found;
    }
    throw new Error(`${what}: not within ${ms / 1000} s`);
  }

  private say(kind: string, text: string): void {
    const seconds = ((performance.now() - this.startedAt) / 1000).toFixed(1).padStart(6);
    process.stdout.write(`${seconds} s  ${kind.padEnd(8)}  ${text}\n`);
  }
}
