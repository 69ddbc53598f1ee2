import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Database } from '../../../src/database/index.js';
import { problemOf } from '../../../src/security/errors/problem-of.js';
import { signUp, type Actor } from '../../support/actors.js';
import { startApp, type TestApp } from '../../support/app.js';

let app: TestApp;
let owner: Actor;
beforeAll(async () => {
  app = await startApp({ instances: 1, broken: '/v1/users/me' });
  owner = await signUp(app, 'owner');
});
afterAll(() => app.close());

const faults: [string, string, number][] = [
  ['a row that somebody else has locked for too long', '55P03', 503],
  ['a statement that took too long', '57014', 503],
  ['a transaction that lay idle', '25P03', 503],
  ['the victim of a deadlock', '40P01', 503],
  ['a serialization fault', '40001', 503],
  ['a server without a free connection', '53300', 503],
  ['a server that is read-only after a failover', '25006', 503],
  ['a full disk', '53100', 503],
  ['no memory', '53200', 503],
  ['a limit of the server', '53400', 503],
  ['a connection that is lost', '08006', 503],
  ['a server that shuts down', '57P01', 503],
  ['a server that starts', '57P03', 503],
  ['a session that lay idle', '57P05', 503],
  ['a disk that fails', '58030', 503],
  ['a unique key', '23505', 409],
  ['a foreign key', '23503', 409],
  ['a check', '23514', 500],
  ['a fault of ours in the SQL', '42601', 500],
];

/** Lets the database itself throw, so that the driver and Prisma wrap it as they do in earnest. */
const failing = (code: string) => `RAISE EXCEPTION 'canary at /srv/app' USING ERRCODE = '${code}';`;

const update = (phone = '+4930123456') => app.request('PATCH', '/v1/users/me', { token: owner.token, body: { phone } });

describe('What the database refuses has its status (practices 6.2, 6.4; ASVS 16.5.3)', () => {
  it.each(faults)(
    'a change meets %s (%s): %i, and nothing of the fault leaves [practice 6.2]',
    async (_name, code, status) => {
      await app.sql(
        `CREATE OR REPLACE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ${failing(code)} END $$`,
      );
      await app.sql('CREATE OR REPLACE TRIGGER fail BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION fail()');
      const answer = await update();
      await app.sql('DROP TRIGGER fail ON users');
      expect(answer.status).toBe(status);
      expect(answer.headers['retry-after']).toBe(status === 503 ? '5' : undefined);
      expect(answer.text).not.toMatch(/canary|srv|Prisma/);
      expect((await update()).status).toBe(200);
    },
  );

  it.each(faults)('a raw query and a transaction meet %s (%s): %i as well', async (_name, code, status) => {
    const database = app.on(0).service.app.get(Database, { strict: false });
    const raw = () => database.client.$executeRawUnsafe(`DO $$ BEGIN ${failing(code)} END $$`);
    for (const attempt of [raw, () => database.transaction(raw)]) {
      const error: unknown = await attempt().then(
        () => 'no error',
        (reason: unknown) => reason,
      );
      expect(problemOf(error).getStatus()).toBe(status);
    }
  });

  const adapter = (cause: object) => Object.assign(new Error('canary'), { name: 'DriverAdapterError', cause });
  it.each<[string, Error]>([
    ...[
      'DatabaseNotReachable',
      'ConnectionClosed',
      'SocketTimeout',
      'TlsConnectionError',
      'TooManyConnections',
    ].flatMap((kind): [string, Error][] => [
      [`${kind}, as the adapter throws it`, adapter({ kind })],
      [
        `${kind}, in a raw query`,
        Object.assign(new Error('canary'), { code: 'P2010', meta: { driverAdapterError: adapter({ kind }) } }),
      ],
    ]),
    ...[
      'ECONNRESET',
      'EPIPE',
      'EPROTO',
      'ENETUNREACH',
      'EADDRNOTAVAIL',
      'ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE',
      'CERT_HAS_EXPIRED',
      'UNABLE_TO_GET_ISSUER_CERT',
    ].map((code): [string, Error] => [code, Object.assign(new Error('canary'), { code })]),
    ['a unix socket that is gone', Object.assign(new Error('canary'), { code: 'ENOENT', syscall: 'connect' })],
    ...[
      'Query read timeout',
      'Connection terminated unexpectedly',
      'Cannot use a pool after calling end on the pool',
      'The server does not support SSL connections',
    ].map((message): [string, Error] => [message, new Error(message)]),
  ])('a link that breaks below SQL (%s): 503 with Retry-After [practice 6.2]', (_name, error) => {
    const problem = problemOf(error);
    expect([problem.getStatus(), problem.extras.headers]).toEqual([503, { 'retry-after': '5' }]);
  });

  it('a file that is missing, and a value that is wrong, are faults of ours: 500', () => {
    for (const fault of [
      { code: 'ENOENT', syscall: 'open' },
      { code: '22P02' },
      { code: 'XX000' },
      { code: 'ERR_INVALID_ARG_TYPE' },
    ]) {
      expect(problemOf(Object.assign(new Error('canary'), fault)).getStatus()).toBe(500);
    }
  });

  it('an error of ours that was caused by such a fault stays one of ours: 500', () => {
    expect(
      problemOf(new Error('outer', { cause: Object.assign(new Error('inner'), { code: 'P2002' }) })).getStatus(),
    ).toBe(500);
  });
});
