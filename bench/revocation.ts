// How long a session that was ended on one instance is still good on another one: two instances over Redis and
// PostgreSQL, a sign-out on the one, and requests to the other until it refuses. Prints the median and the worst delay.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { developmentCertificates } from '../src/security/transport/development-certificates.js';
import type { Client } from './client.js';
import { createDatabase, describeServer } from './databases.js';
import { startProcess } from './process.js';
import { ServiceUser } from './service-user.js';

const revocations = 100;
/** Of one person; the service lets ten in a quarter of an hour through, and the sign-up took one. */
const maxSignIns = 9;
const goalMs = 100;
const patienceMs = 5_000;

const [server, redis] = [process.env['DATABASE_URL'], process.env['REDIS_URL']];
if (!server || !redis) throw new Error('set DATABASE_URL and REDIS_URL: one instance alone has nobody to tell');

/** Milliseconds from the answer of the sign-out on `here` to the answer with which `there` refuses. */
async function revoke(user: ServiceUser, here: Client, there: Client): Promise<number> {
  const token = await user.signIn();
  // Used on both: each now remembers what the session allows.
  for (const client of [here, there]) await client.expect(200, 'GET', '/v1/users/me', { token });
  await here.expect(204, 'POST', '/v1/auth/logout', { token });
  const endedAt = performance.now();
  while (performance.now() - endedAt < patienceMs) {
    const { status } = await there.send('GET', '/v1/users/me', { token });
    if (status === 401) return performance.now() - endedAt;
  }
  throw new Error(`the session was still good after ${patienceMs} ms`);
}

const directory = mkdtempSync(join(tmpdir(), 'bench-revocation-'));
const database = await createDatabase(server, 'revocation');
const undo: (() => Promise<void>)[] = [
  async () => rmSync(directory, { recursive: true, force: true }),
  () => database.drop(),
];
try {
  const files = await developmentCertificates({ dataDirectory: directory });
  const environment = {
    API_DOCS: 'false',
    DATA_DIRECTORY: directory,
    DATABASE_URL: database.url,
    REDIS_URL: redis,
    // One service under one name; another one for each run, so that nothing of an earlier run is heard.
    PUBLIC_URL: `https://bench-${randomBytes(6).toString('hex')}.localhost`,
    RATE_LIMIT_SCALE: '100000',
    ARGON2_MEMORY_KIB: '19456',
    ARGON2_PASSES: '2',
    TLS_CERTIFICATE_FILE: files.certificateFile,
    TLS_KEY_FILE: files.keyFile,
  };
  const clients: Client[] = [];
  for (let count = 0; count < 2; count++) {
    const running = await startProcess({
      name: 'ours',
      environment,
      directory,
      ca: readFileSync(files.caFile, 'utf8'),
      profile: undefined,
    });
    undo.push(() => running.stop());
    clients.push(running.client);
  }
  const [one, two] = clients as [Client, Client];
  const delays: number[] = [];
  let user = await ServiceUser.signUp(one, directory);
  for (let count = 0; count < revocations; count++) {
    if (count % maxSignIns === maxSignIns - 1)
      user = await ServiceUser.signUp(one, directory, { email: `person${count}@example.org`, resources: 0 });
    delays.push(await (count % 2 === 0 ? revoke(user, one, two) : revoke(user, two, one)));
  }
  const sorted = delays.toSorted((first, second) => first - second);
  const [median = Number.NaN, worst = Number.NaN] = [sorted[Math.floor(sorted.length / 2)], sorted.at(-1)];
  process.stdout.write(
    `two instances, ${await describeServer(server)}, Redis: ${revocations} sessions ended on one, ` +
      `refused by the other\n`,
  );
  process.stdout.write(`median ${median.toFixed(1)} ms, worst ${worst.toFixed(1)} ms (goal: at most ${goalMs} ms)\n`);
} finally {
  for (const step of undo.toReversed()) await step();
}
