// What authentication by the token of a client costs: the same requests of the same person in turns, by the access
// token of a session and by that of a client. Prints medians of the rounds; the CPU time of the service's process moves
// less when other programs use the machine.
import { execFileSync } from 'node:child_process';
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SignJWT } from 'jose';
import { startApps, type App } from './apps.js';
import { describeServer } from './databases.js';
import { person } from './fixture.js';
import { measure, type Measurement } from './load.js';
import { check, scenarios } from './scenarios.js';

const rounds = 7;
const load = { seconds: 3, connections: 20 };
const goalPercent = 20;
const asked = {
  ...scenarios.list,
  title: 'GET /v1/resources?limit=1',
  path: '/v1/resources?limit=1',
  isRight: (body: { items: unknown[] }) => body.items.length === 1,
};

interface Round {
  readonly bySession: Measurement;
  readonly byClient: Measurement;
}

const median = (values: readonly number[]): number =>
  values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN;
const cpuOf = ({ cpuPerRequest = Number.NaN }: Measurement): number => cpuPerRequest;
const perSecond = ({ requestsPerSecond }: Measurement): number => requestsPerSecond;

function line(measured: readonly Round[]): string {
  const each = (of: (one: Measurement) => number) =>
    `${median(measured.map(({ bySession }) => of(bySession))).toFixed(0)} / ` +
    median(measured.map(({ byClient }) => of(byClient))).toFixed(0);
  const more = (of: (one: Measurement) => number) =>
    median(measured.map(({ bySession, byClient }) => (of(byClient) / of(bySession) - 1) * 100)).toFixed(1);
  return (
    `${asked.title}: requests/s ${each(perSecond)}, CPU us ${each(cpuOf)}; by client: ` +
    `time ${more((one) => 1 / perSecond(one))} %, CPU ${more(cpuOf)} % (goal: at most +${goalPercent} %)\n`
  );
}

/** Registers a program of the person as an operator does, and gets its token. */
async function tokenOfClient(app: App): Promise<string> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const key = { ...publicKey.export({ format: 'jwk' }), kid: 'bench' };
  const file = join(directory, 'client.json');
  writeFileSync(file, JSON.stringify({ name: 'Benchmark', scopes: ['resource:read'], key }));
  const command = ['.bench/src/cli/main.js', 'clients:create', person.email, file];
  const env = { PATH: process.env['PATH'], ...app.environment };
  const [, id = ''] = /^created (\S+)/m.exec(execFileSync(process.execPath, command, { env, encoding: 'utf8' })) ?? [];
  const { issuer } = (await app.client.expect(200, 'GET', '/.well-known/oauth-authorization-server/oauth')).body as {
    issuer: string;
  };
  const assertion = await new SignJWT({ iss: id, sub: id, aud: issuer, jti: randomUUID() })
    .setProtectedHeader({ alg: 'ES256', kid: 'bench' })
    .setIssuedAt()
    .setExpirationTime('1m')
    .sign(privateKey);
  const form = {
    grant_type: 'client_credentials',
    scope: 'resource:read',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: assertion,
  };
  return (await app.client.expect(200, 'POST', '/oauth/token', { form })).body.access_token as string;
}

const directory = mkdtempSync(join(tmpdir(), 'bench-clients-'));
const undo: (() => Promise<void>)[] = [async () => rmSync(directory, { recursive: true, force: true })];
try {
  const server = process.env['DATABASE_URL'] || undefined;
  const onCleanup = (step: () => Promise<void>) => void undo.push(step);
  const [app] = await startApps(['ours'], { directory, server, profile: undefined, onCleanup });
  if (app === undefined) throw new Error('the service did not start');
  const ofClient = await tokenOfClient(app);
  process.stdout.write(`${await describeServer(server)}; by session / by client, medians of ${rounds} rounds\n`);
  const one = async (token: string) => measure({ ...app, token }, asked, load);
  for (const token of [await app.token(), ofClient]) {
    await check(app.client, token, asked);
    await one(token);
  }
  const measured: Round[] = [];
  for (let round = 0; round < rounds; round++) {
    // Begins with the other one each time: what slows the machine down for a while slows both.
    const first = round % 2 === 0 ? await one(await app.token()) : await one(ofClient);
    const second = round % 2 === 0 ? await one(ofClient) : await one(await app.token());
    measured.push(round % 2 === 0 ? { bySession: first, byClient: second } : { bySession: second, byClient: first });
  }
  process.stdout.write(line(measured));
} finally {
  for (const step of undo.toReversed()) await step();
}
