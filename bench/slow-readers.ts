// Does one account that asks for much and reads nothing slow down others, or fill the memory? Reads of an honest user,
// quiet and beside 150 unread requests for a hundred resources of 60 KB; prints the 99th percentiles, their ratio, and
// the memory of the process.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import { developmentCertificates } from '../src/security/transport/development-certificates.js';
import type { Client } from './client.js';
import { createDatabase } from './databases.js';
import { startProcess } from './process.js';
import { ServiceUser } from './service-user.js';

const unread = 150;
const perConnection = 6;
const samples = 1_000;
const mebibyte = 1024 * 1024;
const large = { title: 'Large', body: '€'.repeat(20_000), note: null };

const residentOf = (pid: number): number =>
  (Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024) / mebibyte;

/** The 99th percentile of reads, in milliseconds. */
async function measure(client: Client, token: string): Promise<number> {
  const times: number[] = [];
  for (let sample = 0; sample < samples; sample++) {
    const startedAt = performance.now();
    await client.expect(200, 'GET', '/v1/users/me', { token });
    times.push(performance.now() - startedAt);
  }
  return times.toSorted((one, other) => one - other)[Math.floor(samples * 0.99)] ?? Number.NaN;
}

function askAndReadNothing({ port, ca, token }: { port: number; ca: string; token: string }): TLSSocket {
  const socket = connect({ host: '127.0.0.1', servername: 'localhost', port, ca });
  const headers = `host: localhost:${port}\r\nauthorization: Bearer ${token}`;
  const head = `GET /v1/resources?limit=100 HTTP/1.1\r\n${headers}\r\n\r\n`;
  socket.on('error', () => undefined).pause();
  socket.once('secureConnect', () => socket.write(head.repeat(perConnection)));
  return socket;
}

const server = process.env['DATABASE_URL'] || undefined;
const directory = mkdtempSync(join(tmpdir(), 'bench-slow-readers-'));
const database = server === undefined ? undefined : await createDatabase(server, 'slow_readers');
const undo: (() => unknown)[] = [() => rmSync(directory, { recursive: true, force: true }), () => database?.drop()];
try {
  const files = await developmentCertificates({ dataDirectory: directory });
  const ca = readFileSync(files.caFile, 'utf8');
  const environment = {
    API_DOCS: 'false',
    DATA_DIRECTORY: directory,
    RATE_LIMIT_SCALE: '1000',
    TLS_CERTIFICATE_FILE: files.certificateFile,
    TLS_KEY_FILE: files.keyFile,
    ...(database !== undefined && { DATABASE_URL: database.url }),
  };
  const { client, pid, port, stop } = await startProcess({
    name: 'ours',
    environment,
    directory,
    ca,
    profile: undefined,
  });
  undo.push(stop);
  const honest = await ServiceUser.signUp(client, directory, { email: 'honest@example.org', resources: 0 });
  const greedy = await ServiceUser.signUp(client, directory, { email: 'greedy@example.org', resources: 0 });
  const token = await greedy.token();
  for (let count = 0; count < 100; count++) await client.expect(201, 'POST', '/v1/resources', { token, body: large });
  await measure(client, await honest.token());
  const quiet = await measure(client, await honest.token());
  const before = residentOf(pid);
  const sockets = Array.from({ length: unread / perConnection }, () => askAndReadNothing({ port, ca, token }));
  const beside = await measure(client, await honest.token());
  const after = residentOf(pid);
  for (const socket of sockets) socket.destroy();
  process.stdout.write(
    `${unread} unread answers: p99 ${quiet.toFixed(1)} ms quiet, ${beside.toFixed(1)} ms beside, ` +
      `ratio ${(beside / quiet).toFixed(2)} (goal: at most 2); resident ${before.toFixed(0)} MiB before, ` +
      `${after.toFixed(0)} MiB beside\n`,
  );
} finally {
  for (const step of undo.toReversed()) await step();
}
process.exit(0);
