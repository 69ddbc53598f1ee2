import { generateKeyPairSync, randomUUID, randomUUIDv7 } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SignJWT } from 'jose';
import { developmentCertificates, type DevelopmentFiles } from '../src/security/transport/development-certificates.js';
import { createDatabase } from './databases.js';
import { callerVariable, type Caller } from './fixture.js';
import type { AppName } from './options.js';
import { startProcess, type RunningProcess } from './process.js';
import { ServiceUser } from './service-user.js';

/** An app with its user and data, ready to be measured. */
export interface App extends RunningProcess {
  readonly name: AppName;
  /** What commands beside it need as well. */
  readonly environment: Readonly<Record<string, string>>;
  /** An access token that outlives the next measurement. */
  token(): Promise<string>;
}

/** What all apps have in common. */
export interface Surroundings {
  /** Emptied by whoever made it. */
  readonly directory: string;
  /** undefined: an embedded database for each app. */
  readonly server: string | undefined;
  readonly profile: string | undefined;
  /** Called with what has to be undone, latest first. */
  readonly onCleanup: (undo: () => Promise<void>) => void;
}

const issuer = 'https://bench.example.org';

/** Starts the apps one after another, each with a database, a data directory and ports of its own. */
export async function startApps(names: readonly AppName[], surroundings: Surroundings): Promise<App[]> {
  const files = await developmentCertificates({ dataDirectory: surroundings.directory });
  const { token, caller } = await makeCaller();
  const apps: App[] = [];
  for (const name of names) apps.push(await startApp(name, { ...surroundings, files, token, caller }));
  return apps;
}

/** The service without those lines of THE TABLE, such as `Logging,Metrics`. */
export async function startWithout(lines: string, surroundings: Surroundings): Promise<App> {
  const files = await developmentCertificates({ dataDirectory: surroundings.directory });
  return startApp('ours', { ...surroundings, files, ...(await makeCaller()), without: lines });
}

interface Parts extends Surroundings {
  readonly files: DevelopmentFiles;
  readonly token: string;
  readonly caller: Caller;
  readonly without?: string;
}

async function startApp(
  name: AppName,
  { server, onCleanup, files, token, caller, profile, without, ...parts }: Parts,
): Promise<App> {
  const directory = join(parts.directory, without ?? name);
  mkdirSync(directory);
  const database = server === undefined ? undefined : await createDatabase(server, name);
  if (database !== undefined) onCleanup(() => database.drop());
  const environment = {
    API_DOCS: 'false',
    DATA_DIRECTORY: directory,
    RATE_LIMIT_SCALE: '100000',
    TLS_CERTIFICATE_FILE: files.certificateFile,
    TLS_KEY_FILE: files.keyFile,
    ...(database !== undefined && { DATABASE_URL: database.url }),
    ...(without !== undefined && { BENCH_WITHOUT: without }),
    ...(name !== 'ours' && { [callerVariable]: JSON.stringify(caller) }),
  };
  const running = await startProcess({ name, environment, directory, ca: readFileSync(files.caFile, 'utf8'), profile });
  onCleanup(() => running.stop());
  const user = name === 'ours' ? await ServiceUser.signUp(running.client, directory) : undefined;
  return { ...running, name, environment, token: async () => user?.token() ?? token };
}

/**
 * The caller of bare and textbook, with a token of the same form as the service's: every app gets requests of one size.
 */
async function makeCaller(): Promise<{ token: string; caller: Caller }> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const [userId, sessionId, keyId] = [randomUUIDv7(), randomUUIDv7(), randomUUIDv7()];
  const now = Math.floor(Date.now() / 1000);
  const token = await new SignJWT({ sid: sessionId, auth_time: now, acr: 'aal1', amr: ['pwd'] })
    .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: keyId })
    .setIssuer(issuer)
    .setAudience(issuer)
    .setSubject(userId)
    .setIssuedAt(now)
    .setExpirationTime('1d')
    .setJti(randomUUID())
    .sign(privateKey);
  return { token, caller: { userId, sessionId, issuer, publicKey: publicKey.export({ type: 'spki', format: 'pem' }) } };
}
