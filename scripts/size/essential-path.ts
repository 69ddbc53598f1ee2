import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { Logger } from '@nestjs/common';

interface Answer {
  readonly status: number;
  readonly etag: string;
  readonly body: Readonly<Record<string, string>>;
}
type Send = (method: string, path: string, parts?: { token?: string; etag?: string; body?: object }) => Promise<Answer>;

const person = { email: 'size@example.org', name: 'Alice', password: 'seven quiet lanterns above the harbour' };

/**
 * The files of src/ of which something runs while a user signs in, reads and changes their account and a resource, and
 * renews the session: asked of V8, which counts the calls of every function of the built service.
 */
export async function essentialPath(): Promise<string[]> {
  const directory = mkdtempSync(join(tmpdir(), 'size-'));
  const { readConfig } = await load('config/index.js');
  const { createService } = await load('app.js');
  const ports = { HTTPS_PORT: '0', HTTP_PORT: '0', INTERNAL_PORT: '0' };
  const modules = await silence();
  const service = await createService(readConfig({ DATA_DIRECTORY: directory, ...ports }), { modules });
  try {
    const { https, caFile } = await service.listen();
    setDefaultCACertificates([...getCACertificates(), readFileSync(caFile, 'utf8')]);
    const send = sender(`https://localhost:${https}`);
    const deviceToken = await signUp(send, directory);
    return await filesOf(() => useService(send, deviceToken));
  } finally {
    await service.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** @returns the module that takes the log away; a clone without one has Nest's own logger. */
async function silence(): Promise<unknown[]> {
  Logger.overrideLogger(false);
  if (!existsSync('dist/security/logging')) return [];
  const { LogDestinationModule } = await load('security/logging/logging.module.js');
  return [LogDestinationModule.with({ write: () => undefined })];
}

// eslint-disable-next-line typescript/no-explicit-any -- the build has no types
const load = (module: string): Promise<any> => import(resolve('dist', module));

const sender =
  (origin: string): Send =>
  async (method, path, { token, etag, body } = {}) => {
    const headers = {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(etag !== undefined && { 'if-match': etag }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
    };
    const init: RequestInit = { method, headers, body: body && JSON.stringify(body) };
    const response = await fetch(origin + path, init);
    const text = await response.text();
    return {
      status: response.status,
      etag: response.headers.get('etag') ?? '',
      body: text === '' ? {} : (JSON.parse(text) as Answer['body']),
    };
  };

/** @returns the token of the device, on which nobody is told of the next sign-in. */
async function signUp(send: Send, directory: string): Promise<string | undefined> {
  await send('POST', '/v1/auth/register', { body: { email: person.email } });
  const { name, password } = person;
  await send('POST', '/v1/auth/email/verify', { body: { token: await mailedToken(directory), password, name } });
  const { deviceToken } = await signIn(send);
  // Mail leaves in the background, and no request waits for it.
  for (let before = -1; before !== mailsIn(directory).length; await pause(500)) before = mailsIn(directory).length;
  return deviceToken;
}

const mailsIn = (directory: string) =>
  readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.eml'));

async function mailedToken(directory: string): Promise<string> {
  for (let attempt = 0; attempt < 250; attempt++) {
    for (const mail of mailsIn(directory)) {
      const text = readFileSync(join(directory, mail), 'utf8').replaceAll('=\r\n', '');
      const token = /\b[0-9a-f]{96}\b/.exec(text)?.[0];
      if (token !== undefined) return token;
    }
    await pause(20);
  }
  throw new Error('the service sent no mail with a token');
}

async function signIn(send: Send, deviceToken?: string): Promise<Answer['body']> {
  const { email, password } = person;
  const { status, body } = await send('POST', '/v1/auth/login', { body: { email, password, deviceToken } });
  if (status !== 200) throw new Error(`signing in: ${status} ${JSON.stringify(body)}`);
  return body;
}

/** A clone that has no resources answers 404 to some of it. */
async function useService(send: Send, deviceToken: string | undefined): Promise<void> {
  const { accessToken: token, refreshToken } = await signIn(send, deviceToken);
  await send('GET', '/v1/users/me', { token });
  await send('PATCH', '/v1/users/me', { token, body: { name: 'Alice B.' } });
  const made = await send('POST', '/v1/resources', {
    token,
    body: { title: 'Minutes', body: 'We met.', note: 'Ours.' },
  });
  const path = `/v1/resources/${made.body['id']}`;
  await send('GET', '/v1/resources', { token });
  await send('GET', path, { token });
  const changed = await send('PATCH', path, { token, etag: made.etag, body: { title: 'Agenda' } });
  await send('DELETE', path, { token, etag: changed.etag });
  // The three refusals that everybody meets: gone, not valid, nobody.
  await send('GET', path, { token });
  await send('PATCH', '/v1/users/me', { token, body: { role: 'admin' } });
  await send('GET', '/v1/users/me');
  await send('POST', '/v1/auth/refresh', { body: { refreshToken } });
  // What is recorded of a refusal is stored after the answer.
  await pause(1_000);
}

async function filesOf(run: () => Promise<void>): Promise<string[]> {
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
  await session.post('Profiler.takePreciseCoverage');
  await run();
  const { result } = await session.post('Profiler.takePreciseCoverage');
  session.disconnect();
  return result
    .filter(({ url, functions }) => url.startsWith('file:') && functions.some(({ ranges }) => ranges[0]?.count))
    .map(({ url }) => relative('dist', fileURLToPath(url)))
    .filter((path) => !path.startsWith('..') && !path.startsWith('generated'))
    .map((path) => join('src', path.replace(/\.js$/, '.ts')))
    .toSorted();
}
