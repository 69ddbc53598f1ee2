import { randomBytes } from 'node:crypto';
import { globSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DynamicModule, Type } from '@nestjs/common';
import { Writable } from 'node:stream';
import pg from 'pg';
import { createService, type Addresses, type Service } from '../../src/app.js';
import { Clock } from '../../src/common/clock.js';
import { RouteTable } from '../../src/common/http/route-table.js';
import { readConfig } from '../../src/config/index.js';
// With: load-shedding.
import { loadBounds } from '../../src/security/load-shedding/bounds.js';
import { LogDestinationModule } from '../../src/security/logging/logging.module.js';
// With: gateway.
import { isBehindGateway, putGatewayInFront } from '../gateway/front.js';
import { runningDatabase, type TestDatabase } from './databases.js';
import { send, type Answer, type RequestParts } from './http.js';
import { parseMail, type ReceivedMail } from './mail.js';
import { profile } from './profile.js';
import { sealRows } from './seals.js';

// With: load-shedding.
// A process that starts several services and asks them itself is always late.
Object.assign(loadBounds, { guests: Infinity, everybody: Infinity });

/** The clock of the tests: real time plus what a test has added. */
export class MovableClock extends Clock {
  private offset = 0;

  override now(): Date {
    return new Date(Date.now() + this.offset);
  }

  advance(seconds: number): void {
    this.offset += seconds * 1000;
  }
}

export interface StartOptions {
  /** Environment variables over those of the tests. */
  readonly env?: Readonly<Record<string, string>>;
  /** Modules beside those of the service, for example with a handler that throws. */
  readonly modules?: readonly (Type | DynamicModule)[];
  /**
   * The path under which such a module breaks the rules on purpose: its answers are not held against the document, as
   * all others are.
   */
  readonly broken?: string;
  /** Instances on one database; in the services profile two, in the embedded one always one. */
  readonly instances?: number;
}

export interface Instance {
  readonly service: Service;
  readonly addresses: Addresses;
  request(method: string, path: string, parts?: RequestParts): Promise<Answer>;
}

/** The running service of one test file: real HTTPS, a database of its own, and a look behind the scenes. */
export class TestApp {
  readonly clock = new MovableClock();
  readonly instances: Instance[] = [];
  private readonly logChunks: string[] = [];
  /** By file: those who wait for a mail look many times. */
  private readonly mails = new Map<string, ReceivedMail>();
  private count = 0;

  /** Another name for each app, so that those which share a Redis do not share their counters. */
  readonly publicUrl = `https://test-${randomBytes(6).toString('hex')}.localhost:8443`;

  constructor(
    readonly database: TestDatabase,
    private options: StartOptions,
  ) {}

  readonly logDestination = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      this.logChunks.push(chunk.toString());
      // TEST_LOG=1 vitest run test/... shows what the service says while a test is written.
      if (process.env['TEST_LOG'] !== undefined) process.stderr.write(chunk);
      done();
    },
  });

  get dataDirectory(): string {
    return this.database.dataDirectory;
  }

  on(index: number): Instance {
    const instance = this.instances[index % this.instances.length];
    if (instance === undefined) throw new Error('the app has no instance');
    return instance;
  }

  /** A request to the first instance. */
  request(method: string, path: string, parts?: RequestParts): Promise<Answer> {
    return this.on(0).request(method, path, parts);
  }

  /** Everything that was logged so far, one parsed object per line. */
  logs(): Record<string, unknown>[] {
    return this.logText()
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  logText(): string {
    return this.logChunks.join('');
  }

  /**
   * The newest mail to the address, with that text in its subject. Mail leaves a moment after the answer, so it is
   * waited for.
   */
  async mailTo(address: string, subject = ''): Promise<ReceivedMail> {
    for (let attempt = 0; attempt < 200; attempt++) {
      const mail = this.outbox().findLast((one) => one.to === address && one.subject.includes(subject));
      if (mail !== undefined) return mail;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    throw new Error(`no mail ${subject} reached ${address}`);
  }

  /** Waits until every mail has left, for tests that count mails, or assert that there is none. */
  async mailQuiet(): Promise<void> {
    for (let attempt = 0; attempt < 200; attempt++) {
      if ((await this.sql('SELECT 1 FROM outgoing_mails LIMIT 1')).length === 0) return;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    throw new Error('there is mail that does not leave');
  }

  /** Every mail of the outbox, oldest first. See `mailTo` and `mailQuiet`. */
  outbox(): ReceivedMail[] {
    const directory = join(this.dataDirectory, 'outbox');
    mkdirSync(directory, { recursive: true });
    return readdirSync(directory)
      .filter((name) => name.endsWith('.eml'))
      .toSorted()
      .map((name) => {
        const mail = this.mails.get(name) ?? parseMail(readFileSync(join(directory, name), 'utf8'));
        this.mails.set(name, mail);
        return mail;
      });
  }

  /** SQL beside the service, as an attacker with access to the database would send it. */
  sql<Row extends pg.QueryResultRow = Record<string, unknown>>(text: string, values: unknown[] = []): Promise<Row[]> {
    return this.connected(async (client) => (await client.query<Row>(text, values)).rows);
  }

  /**
   * SQL that makes a state which the service makes otherwise: users and sessions are sealed as the service would have
   * sealed them.
   */
  operate(text: string, values: unknown[] = []): Promise<void> {
    return this.connected(async (client) => {
      await client.query(text, values);
      await sealRows(this, (one, parts) => client.query(one, parts));
    });
  }

  private async connected<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
    const client = new pg.Client(this.connection());
    await client.connect();
    try {
      return await work(client);
    } finally {
      await client.end();
    }
  }

  /** Waits until an audit event of that action is there; refusals are written a moment after the answer. */
  async auditEvent(
    action: string,
    matches: (row: Record<string, unknown>) => boolean = () => true,
  ): Promise<Record<string, unknown>> {
    for (let attempt = 0; attempt < 100; attempt++) {
      const rows = await this.sql('SELECT * FROM audit_events WHERE action = $1 ORDER BY id DESC', [action]);
      const found = rows.find(matches);
      if (found !== undefined) return found;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`no audit event ${action} was written`);
  }

  /** Stops every instance and starts as many again on the same data. */
  async restart(options: StartOptions = {}): Promise<void> {
    this.options = { ...this.options, ...options };
    for (const instance of this.instances.splice(0)) await instance.service.close();
    await this.start(this.count);
  }

  async start(count: number): Promise<void> {
    this.count = count;
    for (let index = 0; index < count; index++) this.instances.push(await startInstance(this, this.options));
  }

  async close(): Promise<void> {
    for (const instance of this.instances) await instance.service.close();
    await this.database.drop();
  }

  private connection(): pg.ClientConfig {
    if (this.database.url !== undefined) return { connectionString: this.database.url };
    const { socketDirectory } = JSON.parse(readFileSync(join(this.dataDirectory, 'database.lock'), 'utf8')) as {
      socketDirectory: string;
    };
    return { host: socketDirectory, port: 5432, user: 'postgres', database: 'postgres' };
  }
}

/** Starts the service as `npm start` does, on free ports. */
export async function startApp(options: StartOptions = {}): Promise<TestApp> {
  const chosen = profile();
  const app = new TestApp(await runningDatabase(), options);
  const count = chosen.name === 'embedded' ? 1 : (options.instances ?? 2);
  try {
    await app.start(count);
  } catch (error) {
    await app.close();
    throw error;
  }
  return app;
}

/** A millisecond instead of the fifty that are the least: tests about the cost of a hash set it. */
const cheapHash = { argon2MemoryKib: 1024, argon2Passes: 1 };

async function startInstance(app: TestApp, { env = {}, modules = [], broken }: StartOptions): Promise<Instance> {
  const chosen = profile();
  const services =
    chosen.name === 'services'
      ? { DATABASE_URL: app.database.url, REDIS_URL: chosen.redisUrl, PUBLIC_URL: app.publicUrl }
      : {};
  const behindProxy: Record<string, string> = {};
  // With: gateway.
  if (isBehindGateway) behindProxy['TRUSTED_PROXIES'] = '127.0.0.1';
  const settings = readConfig({
    DATA_DIRECTORY: app.dataDirectory,
    HTTPS_PORT: '0',
    HTTP_PORT: '0',
    INTERNAL_PORT: '0',
    // The least that OWASP allows, where a test sets one of the two.
    ARGON2_MEMORY_KIB: '19456',
    ARGON2_PASSES: '2',
    ...services,
    ...behindProxy,
    ...env,
  });
  const aboutTheHash = Object.keys(env).some((name) => name.startsWith('ARGON2_'));
  const config = aboutTheHash ? settings : { ...settings, ...cheapHash };
  const service = await createService(config, {
    clock: app.clock,
    modules: [LogDestinationModule.with(app.logDestination), ...modules],
    joinDatabase: 'connection' in app.database,
  });
  const addresses = await service.listen();
  const origin = { port: addresses.https, ca: readFileSync(join(app.dataDirectory, 'tls', 'ca.crt'), 'utf8') };
  // With: gateway.
  if (isBehindGateway) await putGatewayInFront(service, origin);
  let own: readonly AnswerCheck[] | undefined;
  const routes = service.app.get(RouteTable, { strict: false });
  const request = async (method: string, path: string, parts?: RequestParts): Promise<Answer> => {
    const answer = await send(origin, method, path, parts);
    own ??= modules.length === 0 ? (checks ??= await answerChecksOf(service)) : await answerChecksOf(service);
    if (broken === undefined || !path.startsWith(broken))
      for (const each of own) each.check(method, path, answer, (one) => routes.methodsOf(one));
    return answer;
  };
  return { service, addresses, request };
}

/** Looks at every answer that the tests get. */
export interface AnswerCheck {
  /**
   * @param methodsOf the methods that the router has for a path.
   * @throws Error that says what is wrong with the answer.
   */
  check(method: string, target: string, answer: Answer, methodsOf: (path: string) => readonly string[]): void;
}

/** Those of the service as it is, made once per test file. */
let checks: readonly AnswerCheck[] | undefined;

/** The tests of this tree: a generated copy of the project is tried from outside of it. */
const tests = join(import.meta.dirname, '..');

/** Whatever part holds answers against something has a file of this name beside its tests. */
const answerChecksOf = (service: Service): Promise<AnswerCheck[]> =>
  Promise.all(
    globSync('**/answer-check.ts', { cwd: tests }).map(async (file) => {
      const { answerCheckOf } = (await import(join(tests, file))) as { answerCheckOf: (one: Service) => AnswerCheck };
      return answerCheckOf(service);
    }),
  );
