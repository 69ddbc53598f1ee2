import { randomUUIDv7 } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Database } from '../../src/database/index.js';
import { startApp, type TestApp } from '../support/app.js';
import { profile } from '../support/profile.js';
import { Operator } from './operator.js';

// A table that is large enough for a process to be killed well inside of its work, and people who go on writing.

interface Person {
  readonly email: string;
  readonly name: string;
  readonly phone: string;
}

const count = profile().name === 'services' ? 5_000 : 600;
const people = new Map<string, Person>();
let app: TestApp;
let operator: Operator;
let ids: readonly string[];
let writes = 0;

const clientOf = (instance: number) => app.on(instance).service.app.get(Database, { strict: false }).client;
const personNamed = (name: string): Person => ({
  email: `${name}@example.org`,
  name: `Name ${name}`,
  phone: `phone ${name}`,
});
const one = async (sql: string, values: unknown[] = []) =>
  Number((await app.sql<{ count: number }>(sql, values))[0]?.count);

beforeAll(async () => {
  app = await startApp();
  operator = new Operator(app);
  for (let at = 0; at < count; at++) people.set(randomUUIDv7(), personNamed(`p${at}`));
  const rows = [...people].map(([id, person]) => ({ id, ...person }));
  for (let at = 0; at < count; at += 500) await clientOf(0).user.createMany({ data: rows.slice(at, at + 500) });
  ids = [...people.keys()];
}, 120_000);
afterAll(async () => {
  operator.close();
  await app.close();
});

let live: ReturnType<typeof writers>;
beforeEach(() => {
  live = writers();
});
afterEach(() => live.stop());

/** One writer per instance, each with people of its own; what was acknowledged is remembered. */
function writers() {
  const state = { running: true };
  const write = async (instance: number, step: number) => {
    for (let at = instance; state.running; at = (at + step) % count) {
      const [id, person] = [ids[at] ?? '', personNamed(`edit${writes++}`)];
      await clientOf(instance).user.update({ where: { id }, data: person });
      people.set(id, person);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };
  // An even step that shares no other factor with the count: each writer keeps to its half, and comes by all of it.
  const done = Promise.all(app.instances.map((_, instance) => write(instance, 14)));
  return {
    async stop() {
      state.running = false;
      await done;
    },
  };
}

/** Kills the command once `progress` has come past a tenth, and proves that it was not at its end. */
async function killInside(args: readonly string[], progress: () => Promise<number>): Promise<void> {
  const { child, exit, output } = operator.start(...args);
  while (child.exitCode === null && (await progress()) < count / 10)
    await new Promise((resolve) => setTimeout(resolve, 5));
  child.kill('SIGKILL');
  expect([await exit, child.signalCode], output()).toEqual([null, 'SIGKILL']);
  const done = await progress();
  expect([done >= count / 10, done < count]).toEqual([true, true]);
}

/** As an instance reads it. */
async function everybody(instance: number): Promise<Map<string, Person>> {
  const rows = await clientOf(instance).user.findMany({ select: { id: true, email: true, name: true, phone: true } });
  return new Map(rows.map(({ id, email, name, phone }) => [id, { email, name, phone: phone ?? '' }]));
}

const sorted = (map: ReadonlyMap<string, Person>) => [...map].toSorted(([a], [b]) => (a < b ? -1 : 1));

describe(`${count} people, and kill -9 in the middle [practice 7.3] [ASVS 11.2.2]`, () => {
  it('keys:reencrypt is killed among keys and among cells: the next run ends it, no write is lost', async () => {
    await killInside(['keys:reencrypt'], () =>
      one(`SELECT count(*)::int AS count FROM data_keys WHERE state = 'retired'`),
    );
    // A second run gives nobody a third key: those of the first are not finished, and those after it get theirs now.
    const sealedAnew = `SELECT count(*)::int AS count FROM users u
      JOIN data_keys k
        ON k.state = 'active' AND k.subject = u.id::text AND starts_with(u.name, 'enc:v1:' || k.id)
      JOIN data_keys old ON old.state = 'retired' AND old.subject = k.subject`;
    await killInside(['keys:reencrypt'], () => one(sealedAnew));
    expect(await operator.run('keys:verify')).toMatchObject({ code: 0, output: expect.stringContaining(' 0 faults') });
    const last = operator.start('keys:reencrypt');
    while (!last.output().includes('waiting')) await new Promise((resolve) => setTimeout(resolve, 20));
    last.child.kill('SIGTERM');
    expect(await last.exit).toBe(3);
    await live.stop();
    expect(await one(sealedAnew)).toBeGreaterThan(count / 2);
    for (const instance of app.instances.keys()) expect(sorted(await everybody(instance))).toEqual(sorted(people));
    expect(
      await one(
        'SELECT max(keys)::int AS count FROM (SELECT count(*) AS keys FROM data_keys GROUP BY purpose, subject) k',
      ),
    ).toBe(2);
  }, 120_000);

  it('keys:rotate blind-index is killed: the next run ends it with the same key, all are found', async () => {
    const indexed = (keyId: string) =>
      one(`SELECT count(*)::int AS count FROM users WHERE starts_with(email_index, $1)`, [`${keyId}.`]);
    const old = operator.active('blind-index');
    await killInside(['keys:rotate', 'blind-index'], async () =>
      operator.active('blind-index') === old ? 0 : indexed(operator.active('blind-index')),
    );
    const fresh = operator.active('blind-index');
    expect(await operator.run('keys:rotate', 'blind-index')).toMatchObject({
      code: 0,
      output: expect.stringMatching(/\d+ index entries made anew, 0 faults/),
    });
    await live.stop();
    expect([operator.active('blind-index'), await indexed(old), await indexed(fresh)]).toEqual([fresh, 0, count]);
    for (const instance of app.instances.keys()) expect(sorted(await everybody(instance))).toEqual(sorted(people));
    const emails = [...people.values()].map(({ email }) => email);
    expect(await clientOf(0).user.findMany({ where: { email: { in: emails } }, select: { id: true } })).toHaveLength(
      count,
    );
    expect(await operator.run('keys:verify')).toMatchObject({ code: 0, output: expect.stringContaining(' 0 faults') });
  }, 120_000);
});
