// Do logins slow everybody else down? Authenticated reads at a fixed rate, first alone, then beside 64 clients that
// sign in at the full cost of argon2. Prints the reads' p50 and p99 of both, what the logins got, and the most memory
// that the service took.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { developmentCertificates } from '../src/security/transport/development-certificates.js';
import { createDatabase, describeServer } from './databases.js';
import { startProcess } from './process.js';
import { ServiceUser } from './service-user.js';

const readsPerSecond = 200;
const phaseMs = 10_000;
const rounds = 3;
const readConnections = 100;
const loginClients = 64;
/**
 * Loopback addresses that each of them comes from in turn: of one person from one address ten logins in a quarter of an
 * hour are let through.
 */
const loginAddresses = 8;
const socketsPerAddress = (2 * loginClients) / loginAddresses;
const goal = 3;

interface Reply {
  readonly status: number;
  readonly retryAfter: string | undefined;
}

type Send = (method: string, path: string, parts: { token?: string; body?: object; from?: string }) => Promise<Reply>;

/**
 * @param maxSockets fewer than the service takes from one network; a request that waits for a connection has begun to
 * count.
 */
function sender(port: number, ca: string, maxSockets: number): Send {
  const agent = new Agent({ keepAlive: true, ca, servername: 'localhost', maxSockets });
  return (method, path, { token, body, from }) =>
    new Promise((resolve, reject) => {
      const payload = body === undefined ? undefined : JSON.stringify(body);
      const headers = {
        host: `localhost:${port}`,
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...(payload !== undefined && {
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(payload),
        }),
      };
      const call = request(
        { host: '127.0.0.1', localAddress: from, port, agent, method, path, headers },
        (response) => {
          response.resume().once('error', reject);
          response.once('end', () =>
            resolve({ status: response.statusCode ?? 0, retryAfter: response.headers['retry-after'] }),
          );
        },
      );
      call.once('error', reject).end(payload);
    });
}

/**
 * At a fixed rate, whatever the answers take: a client that waited for each answer would hide the slow ones. @returns
 * milliseconds.
 */
async function read(send: Send, token: string): Promise<number[]> {
  const startedAt = performance.now();
  const times = Array.from({ length: (phaseMs / 1000) * readsPerSecond }, async (_, at) => {
    const dueMs = startedAt + (at * 1000) / readsPerSecond;
    await pause(Math.max(0, dueMs - performance.now()));
    const { status } = await send('GET', '/v1/users/me', { token });
    if (status !== 200) throw new Error(`a read got ${status}`);
    return performance.now() - dueMs;
  });
  return (await Promise.all(times)).toSorted((one, other) => one - other);
}

interface Logins {
  readonly counts: Map<number, number>;
  withoutRetryAfter: number;
}

/** One client: signs in again and again, and waits when it is told to. */
async function signIn(send: Send, client: number, logins: Logins, signal: AbortSignal): Promise<void> {
  const body = people[client];
  while (!signal.aborted) {
    const from = `127.0.1.${1 + ((client + (attempts[client] ?? 0)) % loginAddresses)}`;
    attempts[client] = (attempts[client] ?? 0) + 1;
    const { status, retryAfter } = await send('POST', '/v1/auth/login', { body, from });
    logins.counts.set(status, (logins.counts.get(status) ?? 0) + 1);
    if (status !== 503) continue;
    if (retryAfter === undefined) logins.withoutRetryAfter += 1;
    await pause(Number(retryAfter ?? 1) * 1000, undefined, { signal }).catch(() => undefined);
  }
}

async function readBesideLogins(
  send: { readonly reads: Send; readonly logins: Send },
  token: string,
  logins: Logins,
): Promise<number[]> {
  const stop = new AbortController();
  const clients = people.map((_, client) => signIn(send.logins, client, logins, stop.signal));
  const [times] = await Promise.all([read(send.reads, token).finally(() => stop.abort()), ...clients]);
  return times;
}

const quantile = (sorted: readonly number[], part: number): number =>
  sorted[Math.floor((sorted.length - 1) * part)] ?? Number.NaN;
const median = (values: readonly number[]): number =>
  quantile(
    values.toSorted((one, other) => one - other),
    0.5,
  );

/** Mebibytes; undefined where the system does not tell (not Linux). */
function memory(pid: number, field: 'VmRSS' | 'VmHWM'): number {
  if (process.platform !== 'linux') return Number.NaN;
  const [, kibibytes] =
    new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kibibytes) / 1024;
}

// One person per client: their sessions do not wait for each other in the database, nor their logins for the limits of
// one account.
const people = Array.from({ length: loginClients }, (_, client) => ({
  email: `person${client}@example.org`,
  password: '',
}));
const attempts = people.map(() => 0);

const server = process.env['DATABASE_URL'] || undefined;
const directory = mkdtempSync(join(tmpdir(), 'bench-logins-'));
const database = server === undefined ? undefined : await createDatabase(server, 'logins');
const undo: (() => Promise<void>)[] = [
  async () => rmSync(directory, { recursive: true, force: true }),
  async () => database?.drop(),
];
try {
  const files = await developmentCertificates({ dataDirectory: directory });
  const environment = {
    API_DOCS: 'false',
    DATA_DIRECTORY: directory,
    RATE_LIMIT_SCALE: '100000',
    TLS_CERTIFICATE_FILE: files.certificateFile,
    TLS_KEY_FILE: files.keyFile,
    ...(database !== undefined && { DATABASE_URL: database.url }),
  };
  const ca = readFileSync(files.caFile, 'utf8');
  const running = await startProcess({ name: 'ours', environment, directory, ca, profile: undefined });
  undo.push(() => running.stop());
  const reader = await ServiceUser.signUp(running.client, directory);
  for (const person of people)
    person.password = (
      await ServiceUser.signUp(running.client, directory, { email: person.email, resources: 0 })
    ).password;
  const send = {
    reads: sender(running.port, ca, readConnections),
    logins: sender(running.port, ca, socketsPerAddress),
  };
  const logins: Logins = { counts: new Map(), withoutRetryAfter: 0 };
  await readBesideLogins(send, await reader.token(), { counts: new Map(), withoutRetryAfter: 0 });
  const before = memory(running.pid, 'VmRSS');
  const results: { quiet: number[]; busy: number[] }[] = [];
  for (let round = 0; round < rounds; round++) {
    const quiet = await read(send.reads, await reader.token());
    results.push({ quiet, busy: await readBesideLogins(send, await reader.token(), logins) });
  }
  const line = (name: 'quiet' | 'busy') =>
    [0.5, 0.99].map((part) => median(results.map((round) => quantile(round[name], part))).toFixed(1));
  const [quiet, busy] = [line('quiet'), line('busy')];
  const ratio = median(results.map((round) => quantile(round.busy, 0.99) / quantile(round.quiet, 0.99)));
  const answers = [...logins.counts]
    .toSorted()
    .map(([status, count]) => `${count} x ${status}`)
    .join(', ');
  const report = [
    `${availableParallelism()} cores, ${await describeServer(server)}; ${readsPerSecond} reads a second, ` +
      `${rounds} rounds of ${phaseMs / 1000} s, medians`,
    `reads alone:            p50 ${quiet[0]} ms, p99 ${quiet[1]} ms`,
    `beside ${loginClients} login clients: p50 ${busy[0]} ms, p99 ${busy[1]} ms`,
    `p99 beside logins / alone: ${ratio.toFixed(1)} (goal: at most ${goal}); rounds: ` +
      results.map((round) => (quantile(round.busy, 0.99) / quantile(round.quiet, 0.99)).toFixed(1)).join(', '),
    `logins: ${answers}; 503 without Retry-After: ${logins.withoutRetryAfter}`,
    `memory: ${before.toFixed(0)} MiB before, ${memory(running.pid, 'VmHWM').toFixed(0)} MiB at most`,
  ];
  process.stdout.write(`${report.join('\n')}\n`);
} finally {
  for (const step of undo.toReversed()) await step();
}
process.exit(0);
