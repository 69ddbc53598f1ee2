import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { readConfig } from '../../src/config/index.js';
import { checkRedis } from '../../src/shared-state/index.js';
import { signUp, type Actor } from '../support/actors.js';
import { startApp, type TestApp } from '../support/app.js';
import { readiness } from '../support/readiness.js';
import { Relay } from '../support/relay.js';
import { redisProgram } from '../support/tls-servers.js';
import { freePort } from '../../scripts/free-port.js';

// A Redis of the test's own: it is filled, demoted and closed.
const host = 'api.example.org';
let directory: string;
let server: ChildProcess;
let port: number;
let admin: Redis;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'redis-'));
  port = await freePort();
  server = spawn(
    redisProgram,
    ['--bind', '127.0.0.1', '--port', String(port), '--save', '', '--appendonly', 'no', '--dir', directory],
    { stdio: 'ignore' },
  );
  process.once('exit', () => server.kill('SIGKILL'));
  admin = new Redis({ host: '127.0.0.1', port });
  admin.on('error', () => undefined);
  await admin.ping();
});
afterAll(async () => {
  admin.disconnect();
  server.kill('SIGKILL');
  await once(server, 'exit');
  rmSync(directory, { recursive: true, force: true });
});

const mend = async () => {
  await admin.config('SET', 'maxmemory', '0');
  await admin.replicaof('NO', 'ONE');
};
const all = `~${host}:* &${host}:* +@all`;

describe('Redis answers, and does not do what the service needs: no start [practice 7.1]', () => {
  afterEach(mend);
  const check = (user = '', database = '') => {
    const url = `redis://${user === '' ? '' : `${user}:only-for-tests@`}127.0.0.1:${port}${database}`;
    return checkRedis(readConfig({ PUBLIC_URL: `https://${host}`, REDIS_URL: url }));
  };

  it('an honest user, who may do what the page says and no more: it starts', async () => {
    const commands = '+eval +evalsha +set +incrby +pttl +del +get +publish +subscribe +ping +info +select +client';
    await admin.call(
      'ACL',
      'SETUSER',
      'honest',
      'reset',
      'on',
      '>only-for-tests',
      `~${host}:*`,
      `&${host}:*`,
      '-@all',
      ...commands.split(' '),
    );
    await expect(check('honest', '/3')).resolves.toBeUndefined();
  });

  it.each<[string, () => Promise<unknown>, RegExp]>([
    ['a replica', () => admin.replicaof('127.0.0.1', '1'), /READONLY\): it is a replica/],
    ['full', () => admin.config('SET', 'maxmemory', '1'), /OOM\): its memory is full/],
  ])('%s', async (_name, spoil, fault) => {
    await spoil();
    await expect(check()).rejects.toThrow(fault);
  });

  it.each([
    ['no scripts', `${all} -eval -evalsha`],
    ['no writing', `${all} -set`],
    ['no messages', `${all} -publish`],
    ['no hearing of messages', `${all} -subscribe`],
    ['keys of another deployment', `~other:* &${host}:* +@all`],
    ['channels of another deployment', `~${host}:* &other:* +@all`],
  ])('a user with %s', async (_name, rules) => {
    await admin.call('ACL', 'SETUSER', 'app', 'reset', 'on', '>only-for-tests', ...rules.split(' '));
    await expect(check('app')).rejects.toThrow(/REDIS_URL: Redis refuses what the service needs \((NOPERM|ERR)\): /);
  });

  it('a database that does not exist', async () => {
    await expect(check('', '/99')).rejects.toThrow(
      /REDIS_URL: Redis refuses what the service needs \(ERR\): set the number/,
    );
  });
});

describe('Redis goes wrong while the service runs [ASVS 13.2.6] [ASVS 16.5.2] [practice 7.1]', () => {
  let app: TestApp;
  let alice: Actor;
  let relay: Relay;
  beforeAll(async () => {
    const through = await Relay.to(`redis://127.0.0.1:${port}`);
    relay = through.relay;
    app = await startApp({ instances: 1, env: { REDIS_URL: through.url } });
    alice = await signUp(app, 'alice');
  });
  afterAll(async () => {
    await app.close();
    relay.close();
  });
  afterEach(mend);

  // With: logging.
  const told = (text: string) => app.logs().filter(({ message }) => String(message).includes(text)).length;
  const isDegraded = async () => (await readiness(app)).body.checks['redis'] === 'down';
  const connections = async () =>
    String(await admin.client('LIST'))
      .split('\n')
      .filter((line) => /name=(commands|subscriber) /.test(line))
      .map((line) => /id=(\d+)/.exec(line)?.[1]);

  async function expectDegradedAndBack(
    spoil: () => Promise<unknown> | void,
    back: () => Promise<unknown> | void,
  ): Promise<void> {
    await expect.poll(isDegraded, { timeout: 10_000 }).toBe(false);
    // With: logging.
    const before = { fault: told('Redis does not do what the service needs'), back: told('Redis works again') };
    await spoil();
    await expect.poll(isDegraded, { timeout: 5_000 }).toBe(true);
    // The service serves, and readiness says that it does.
    expect(await readiness(app)).toMatchObject({
      status: 200,
      body: { status: 'degraded', checks: { database: 'up', redis: 'down' } },
    });
    for (let index = 0; index < 20; index++)
      expect((await app.request('GET', '/v1/users/me', { token: alice.token })).status).toBe(200);
    await back();
    await expect.poll(isDegraded, { timeout: 10_000 }).toBe(false);
    expect(await readiness(app)).toMatchObject({ status: 200, body: { status: 'up' } });
    // With: logging.
    expect(told('Redis does not do what the service needs')).toBe(before.fault + 1);
    // With: logging.
    expect(told('Redis works again')).toBe(before.back + 1);
  }

  it('it is full: readiness says degraded, the log says it once and once when it is over', async () => {
    await expectDegradedAndBack(() => admin.config('SET', 'maxmemory', '1'), mend);
  });

  it('it becomes a replica: the service connects anew, for the name may lead to the new primary', async () => {
    const before = await connections();
    await expectDegradedAndBack(() => admin.replicaof('127.0.0.1', '1'), mend);
    const after = await connections();
    expect(after.filter((id) => !before.includes(id))).not.toEqual([]);
  });

  it('the link falls silent: requests go on, and both connections are replaced', async () => {
    const before = await connections();
    await expectDegradedAndBack(
      () => relay.silence(),
      () => relay.restore(),
    );
    expect(before).toHaveLength(2);
    await expect
      .poll(async () => (await connections()).filter((id) => !before.includes(id)).length, { timeout: 5_000 })
      .toBe(2);
  });
});
